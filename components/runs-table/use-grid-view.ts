'use client';
import { type RefObject, useLayoutEffect, useRef, useState } from 'react';
import { HEAD_HEIGHT, ROW_HEIGHT } from './column-looks';

/** Rows drawn beyond either edge. */
const OVERSCAN = 8;
/** Pixels of scrolling to the side after which other columns may be in sight. */
const SIDE_STEP = 60;
/** Before it is measured. */
const FIRST_HEIGHT = 720;

export interface GridView {
  left: number;
  width: number;
  first: number;
  last: number;
  /** Those to draw, of so many. */
  rows: (count: number) => number[];
}

/** What of a scrolling table is in sight. It changes row by row, not pixel by pixel. */
export function useGridView(scroller: RefObject<HTMLDivElement | null>, isThere: boolean): GridView {
  const [place, setPlace] = useState({ first: 0, last: Math.ceil(FIRST_HEIGHT / ROW_HEIGHT), left: 0, width: 0 });
  const frame = useRef(0);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element || !isThere) return;
    const measure = () => {
      frame.current = 0;
      const { scrollTop, scrollLeft, clientHeight, clientWidth } = element;
      const next = {
        first: Math.floor(scrollTop / ROW_HEIGHT),
        last: Math.ceil((scrollTop + Math.max(clientHeight, ROW_HEIGHT) - HEAD_HEIGHT) / ROW_HEIGHT),
        left: Math.floor(scrollLeft / SIDE_STEP) * SIDE_STEP,
        width: clientWidth,
      };
      setPlace((old) =>
        old.first === next.first && old.last === next.last && old.left === next.left && old.width === next.width
          ? old
          : next,
      );
    };
    const soon = () => {
      if (frame.current === 0) frame.current = requestAnimationFrame(measure);
    };
    measure();
    element.addEventListener('scroll', soon, { passive: true });
    const observer = new ResizeObserver(soon);
    observer.observe(element);
    return () => {
      element.removeEventListener('scroll', soon);
      observer.disconnect();
      cancelAnimationFrame(frame.current);
      frame.current = 0;
    };
  }, [scroller, isThere]);
  const first = Math.max(0, place.first - OVERSCAN);
  const last = place.last + OVERSCAN;
  return {
    ...{ left: place.left, width: place.width, first, last },
    rows: (count) => Array.from({ length: Math.max(0, Math.min(count - 1, last) - first + 1) }, (_, i) => first + i),
  };
}
