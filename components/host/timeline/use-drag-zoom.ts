'use client';
import { type MouseEvent, type PointerEvent, type RefObject, useRef, useState } from 'react';

/** Less is a click that slipped. */
const MIN_PIXELS = 8;
/** No window is shorter. */
const MIN_MS = 5_000;

/** A stretch that is dragged over becomes the window. A drag that begins on a bar does not open it. */
export function useDragZoom(
  area: RefObject<HTMLElement | null>,
  from: number,
  to: number,
  onZoom: (from: number, to: number) => void,
) {
  const [drag, setDrag] = useState<{ start: number; end: number } | null>(null);
  const hasDragged = useRef(false);
  const xOf = (event: PointerEvent) => {
    const box = area.current?.getBoundingClientRect();
    return box ? Math.min(box.width, Math.max(0, event.clientX - box.left)) : 0;
  };
  const isWide = drag !== null && Math.abs(drag.end - drag.start) >= MIN_PIXELS;
  return {
    /** Where the stretch is drawn. */
    selection: isWide ? { left: Math.min(drag.start, drag.end), width: Math.abs(drag.end - drag.start) } : null,
    handlers: {
      onPointerDown(event: PointerEvent<HTMLElement>) {
        hasDragged.current = false;
        // On touch screens the same movement scrolls.
        if (event.button === 0 && event.pointerType !== 'touch') setDrag({ start: xOf(event), end: xOf(event) });
      },
      onPointerMove(event: PointerEvent<HTMLElement>) {
        if (!drag) return;
        const end = xOf(event);
        if (Math.abs(end - drag.start) >= MIN_PIXELS && !hasDragged.current) {
          hasDragged.current = true;
          event.currentTarget.setPointerCapture(event.pointerId);
        }
        setDrag({ ...drag, end });
      },
      onPointerUp() {
        setDrag(null);
        const width = area.current?.clientWidth ?? 0;
        if (!drag || !isWide || width === 0) return;
        const timeAt = (x: number) => from + (x / width) * (to - from);
        const start = timeAt(Math.min(drag.start, drag.end));
        onZoom(start, Math.max(start + MIN_MS, timeAt(Math.max(drag.start, drag.end))));
      },
      onPointerCancel() {
        setDrag(null);
      },
      onPointerLeave() {
        if (!hasDragged.current) setDrag(null);
      },
      onClickCapture(event: MouseEvent<HTMLElement>) {
        if (!hasDragged.current) return;
        hasDragged.current = false;
        event.preventDefault();
        event.stopPropagation();
      },
    },
  };
}
