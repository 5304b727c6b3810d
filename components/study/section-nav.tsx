'use client';
import { useEffect, useRef, useState } from 'react';
import { cn } from '../ui/cn';

export interface PageSection {
  /** Of its element, and after the # in the address. */
  id: string;
  name: string;
}

/** Below the page's own bar and this one: where a section begins that counts as looked at. */
const LINE_PX = 140;

/** The sections of a long page: which one is looked at, and a way to each. Stays in sight. */
export function SectionNav({ sections }: { sections: readonly PageSection[] }) {
  const current = useCurrentSection(sections);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const bar = list.current;
    const item = bar?.querySelector<HTMLElement>(`[href="#${CSS.escape(current ?? '')}"]`);
    // Along the bar alone: scrollIntoView would move the page, too.
    if (bar && item) bar.scrollTo({ left: item.offsetLeft - bar.clientWidth / 2 + item.clientWidth / 2 });
  }, [current]);
  return (
    <nav
      aria-label="Sections of this page"
      className="sticky top-12 z-20 -mx-4 mb-6 border-b bg-canvas/95 backdrop-blur-sm md:-mx-6 lg:-mx-8"
    >
      <ul ref={list} className="relative flex gap-1 overflow-x-auto px-3 [scrollbar-width:none] md:px-5 lg:px-7">
        {sections.map(({ id, name }) => (
          <li key={id}>
            <a
              href={`#${id}`}
              aria-current={current === id ? 'true' : undefined}
              className={cn(
                'inline-flex h-9 items-center whitespace-nowrap border-b-2 px-2 text-sm transition-colors focus-visible:-outline-offset-2 pointer-coarse:h-11',
                current === id ? 'border-accent font-medium text-ink' : 'border-transparent text-ink-3 hover:text-ink',
              )}
            >
              {name}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function useCurrentSection(sections: readonly PageSection[]): string | null {
  const [current, setCurrent] = useState<string | null>(sections[0]?.id ?? null);
  useEffect(() => {
    let frame = 0;
    const look = () => {
      frame = 0;
      const tops = sections.flatMap(({ id }) => {
        const element = document.getElementById(id);
        return element ? [{ id, top: element.getBoundingClientRect().top }] : [];
      });
      const { scrollTop, clientHeight, scrollHeight } = document.documentElement;
      const isAtEnd = scrollTop > 0 && scrollTop + clientHeight >= scrollHeight - 2;
      const last = isAtEnd ? tops.at(-1) : (tops.findLast(({ top }) => top <= LINE_PX) ?? tops[0]);
      setCurrent(last?.id ?? null);
    };
    const later = () => {
      if (frame === 0) frame = requestAnimationFrame(look);
    };
    look();
    window.addEventListener('scroll', later, { passive: true });
    window.addEventListener('resize', later);
    return () => {
      cancelAnimationFrame(frame);
      window.removeEventListener('scroll', later);
      window.removeEventListener('resize', later);
    };
  }, [sections]);
  return current;
}
