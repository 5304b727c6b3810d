'use client';
import { useEffect } from 'react';

/** Sections that are read as somebody comes near push those below them down; after this the page keeps still anyway. */
const HOLD_MS = 6_000;
/** What says that somebody moves the page: from then on it is theirs. */
const HANDS = ['wheel', 'touchmove', 'keydown', 'pointerdown'] as const;

/**
 * Goes to the section that the address names, when there is one and whenever another is chosen, and stays there while the sections
 * above it grow.
 * @param isThere the sections are on the page; a browser looks for the address's own before that
 */
export function useSectionInAddress(isThere: boolean): void {
  useEffect(() => {
    if (!isThere) return;
    let letGo = () => {};
    const go = () => {
      letGo();
      const name = decodeURIComponent(window.location.hash.slice(1));
      const section = name === '' ? null : document.getElementById(name);
      if (!section) return;
      section.scrollIntoView();
      const observer = new ResizeObserver(() => section.scrollIntoView());
      observer.observe(document.body);
      const timer = setTimeout(() => letGo(), HOLD_MS);
      const release = () => {
        observer.disconnect();
        clearTimeout(timer);
        for (const hand of HANDS) window.removeEventListener(hand, release);
      };
      for (const hand of HANDS) window.addEventListener(hand, release, { passive: true });
      letGo = release;
    };
    go();
    window.addEventListener('hashchange', go);
    return () => {
      window.removeEventListener('hashchange', go);
      letGo();
    };
  }, [isThere]);
}
