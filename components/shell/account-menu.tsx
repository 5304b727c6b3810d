'use client';
import { LogOut, Settings } from 'lucide-react';
import Link from 'next/link';
import { signOut } from '../account/sign-out';
import { useMe } from '../account/use-me';
import { Menu, MenuItem, MenuSeparator } from '../ui/menu';
import { Skeleton } from '../ui/skeleton';
import { USER_ROLE_WORDS } from '../words';

const initials = (name: string) =>
  name
    .split(/\s+/)
    .map((word) => word[0] ?? '')
    .slice(0, 2)
    .join('')
    .toUpperCase();

export function AccountMenu() {
  const { me } = useMe();
  if (!me) return <Skeleton className="size-7 rounded-full" />;
  return (
    <Menu
      trigger={
        <button
          type="button"
          aria-label={`Account of ${me.name}`}
          className="inline-flex size-7 items-center justify-center rounded-full bg-accent-soft font-semibold text-2xs text-accent ring-1 ring-accent-line pointer-coarse:size-9"
        >
          {initials(me.name || me.email)}
        </button>
      }
    >
      <div className="px-2 py-1.5 text-sm">
        <p className="truncate font-medium">{me.name}</p>
        <p className="truncate text-ink-3 text-xs">
          {me.email} · {USER_ROLE_WORDS[me.role].name}
        </p>
      </div>
      <MenuSeparator />
      <MenuItem asChild>
        <Link href="/settings">
          <Settings aria-hidden /> Settings
        </Link>
      </MenuItem>
      <MenuItem icon={<LogOut aria-hidden />} onSelect={() => void signOut()}>
        Sign out
      </MenuItem>
    </Menu>
  );
}
