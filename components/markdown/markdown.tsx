'use client';
import dynamic from 'next/dynamic';

/** The renderer comes with the first notes that are shown; a page without any does not load it. */
export const Markdown = dynamic(() => import('./markdown-body'), {
  loading: () => (
    <p role="status" className="text-ink-3 text-sm">
      Loading the notes…
    </p>
  ),
});
