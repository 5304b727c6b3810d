'use client';
import { type RefObject, useEffect, useState } from 'react';

/** True from when the element first comes near the viewport: what nobody looks at is not drawn. */
export function useHasBeenNear(target: RefObject<Element | null>, margin = '300px'): boolean {
  const [hasBeen, setHasBeen] = useState(false);
  useEffect(() => {
    const element = target.current;
    if (!element || hasBeen) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) setHasBeen(true);
      },
      { rootMargin: margin },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [target, hasBeen, margin]);
  return hasBeen;
}
