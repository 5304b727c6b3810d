'use client';
/**
 * Markdown that people wrote, as React elements: HTML in it is shown as text, and addresses other than of the web, mail and this hub are
 * dropped by the renderer. Images are links: a page of the hub loads nothing from elsewhere (its policy denies it, too), so that
 * nobody learns by a picture who reads a study.
 */
import type { ComponentProps } from 'react';
import ReactMarkdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { MemberLink } from '../share/member-link';
import { cn } from '../ui/cn';

const linkClass = 'text-accent underline decoration-accent-line underline-offset-2 hover:decoration-accent';

function MarkdownLink({ href, children }: ComponentProps<'a'>) {
  if (!href) return <>{children}</>;
  if (href.startsWith('#'))
    return (
      <a href={href} className={linkClass}>
        {children}
      </a>
    );
  if (href.startsWith('/') && !href.startsWith('//'))
    return (
      <MemberLink href={href} prefetch={false} className={linkClass}>
        {children}
      </MemberLink>
    );
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow" className={linkClass}>
      {children}
    </a>
  );
}

const components: Components = {
  a: ({ href, children }) => <MarkdownLink href={href}>{children}</MarkdownLink>,
  img: ({ src, alt }) => {
    const address = typeof src === 'string' ? src : '';
    return <MarkdownLink href={address}>Image: {alt || address || 'without an address'}</MarkdownLink>;
  },
  // Below the page's own headings.
  h1: ({ children }) => <h3 className="mt-4 mb-1.5 font-semibold text-base">{children}</h3>,
  h2: ({ children }) => <h4 className="mt-4 mb-1 font-semibold text-sm">{children}</h4>,
  h3: ({ children }) => <h5 className="mt-3 mb-1 font-semibold text-ink-2 text-sm">{children}</h5>,
  h4: ({ children }) => <h6 className="mt-3 mb-1 font-medium text-ink-2 text-sm">{children}</h6>,
  h5: ({ children }) => <p className="mt-3 mb-1 font-medium text-ink-2 text-sm">{children}</p>,
  h6: ({ children }) => <p className="mt-3 mb-1 font-medium text-ink-3 text-sm">{children}</p>,
  ul: ({ children, className }) => (
    <ul
      className={cn(
        'my-2 space-y-1 marker:text-ink-3 [&_input]:mr-2 [&_input]:-ml-6 [&_input]:align-[-2px]',
        className?.includes('contains-task-list') ? 'list-none pl-6' : 'list-disc pl-5',
      )}
    >
      {children}
    </ul>
  ),
  ol: ({ children, start }) => (
    <ol start={start} className="my-2 list-decimal space-y-1 pl-5 marker:text-ink-3">
      {children}
    </ol>
  ),
  p: ({ children }) => <p className="my-2">{children}</p>,
  blockquote: ({ children }) => (
    <blockquote className="my-2 border-line-strong border-l-2 pl-3 text-ink-2">{children}</blockquote>
  ),
  pre: ({ children }) => (
    <pre className="my-2 overflow-x-auto rounded-lg border bg-sunken p-3 font-mono text-xs leading-5 [&>code]:bg-transparent [&>code]:p-0">
      {children}
    </pre>
  ),
  code: ({ children }) => <code className="rounded bg-sunken px-1 py-px font-mono text-[0.92em]">{children}</code>,
  hr: () => <hr className="my-4" />,
  table: ({ children }) => (
    <div className="my-2 overflow-x-auto">
      <table className="border-collapse text-sm [&_td]:border [&_td]:px-2 [&_td]:py-1 [&_th]:border [&_th]:bg-sunken [&_th]:px-2 [&_th]:py-1 [&_th]:font-semibold">
        {children}
      </table>
    </div>
  ),
};

/** @param text Markdown, GitHub's dialect */
export default function MarkdownBody({ text }: { text: string }) {
  return (
    <div className="wrap-anywhere max-w-[80ch] text-sm leading-6 [&>:first-child]:mt-0 [&>:last-child]:mb-0">
      <ReactMarkdown remarkPlugins={[remarkGfm]} components={components} skipHtml={false}>
        {text}
      </ReactMarkdown>
    </div>
  );
}
