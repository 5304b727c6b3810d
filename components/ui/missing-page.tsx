import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { ButtonLink } from './button';
import { EmptyState } from './empty-state';

/** In the place of a page whose subject is gone, or never was: what it is, why it may be so, and the way back. */
export function MissingPage(props: {
  icon: LucideIcon;
  title: string;
  back: { href: string; words: string };
  children: ReactNode;
}) {
  const { icon, title, back, children } = props;
  return (
    <>
      <h1 className="sr-only">Not found</h1>
      <EmptyState
        icon={icon}
        title={title}
        actions={
          <ButtonLink href={back.href} variant="primary">
            {back.words}
          </ButtonLink>
        }
      >
        {children}
      </EmptyState>
    </>
  );
}
