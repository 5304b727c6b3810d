'use client';
import Link from 'next/link';
import type { ComponentProps } from 'react';
import { useIsShared } from './shared-context';

/** A link to a page for members. On the page of a share link, where it would lead to the sign-in page, its words alone. */
export function MemberLink(props: ComponentProps<typeof Link>) {
  const isShared = useIsShared();
  if (!isShared) return <Link {...props} />;
  const { children, title, className } = props;
  return (
    <span title={title} className={className?.replaceAll(/\S*(hover|accent|underline)\S*/g, '')}>
      {children}
    </span>
  );
}
