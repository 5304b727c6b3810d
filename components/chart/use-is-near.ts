'use client';
import { type RefObject, useEffect, useState } from 'react';

/** Whether the element is in or near the viewport: what nobody looks at is neither read nor drawn. */
export function useIsNear(target: RefObject<Element | null>, margin = '500px'): boolean {
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    const element = target.current;
    if (!element) return;
    const observer = new IntersectionObserver((entries) => setNear(entries.at(-1)?.isIntersecting ?? false), {
      rootMargin: margin,
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [target, margin]);
  return isNear;
}
