'use client';
import { KeyRound } from 'lucide-react';
import Link from 'next/link';
import { useMe } from '../account/use-me';

/** Without a password the only way back in is another one-time link: said on every page until it is cured. */
export function PasswordReminder() {
  const { me } = useMe();
  if (!me || me.hasPassword) return null;
  return (
    <p className="flex items-start gap-x-2 border-b border-warn-line bg-warn-soft px-4 py-2 text-sm md:px-6 lg:px-8">
      <KeyRound aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
      <span>
        You have no password yet: when this session ends, only a new one-time link lets you in again.{' '}
        <Link href="/welcome" className="font-medium text-accent underline underline-offset-2">
          Choose a password
        </Link>
      </span>
    </p>
  );
}
