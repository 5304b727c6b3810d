'use client';
import { FlaskConical, Gauge, ListOrdered, Server, Settings } from 'lucide-react';
import Link from 'next/link';
import { usePathname } from 'next/navigation';
import { cn } from '../ui/cn';

const ITEMS = [
  { href: '/', label: 'Studies', icon: FlaskConical, owns: ['/studies', '/runs'] },
  { href: '/evaluations', label: 'Evaluations', icon: Gauge, owns: ['/evaluations'] },
  { href: '/queue', label: 'Queue', icon: ListOrdered, owns: ['/queue'] },
  { href: '/hosts', label: 'Hosts', icon: Server, owns: ['/hosts'] },
  { href: '/settings', label: 'Settings', icon: Settings, owns: ['/settings'] },
] as const;

export function Nav({ onNavigate }: { onNavigate?: () => void }) {
  const path = usePathname();
  return (
    <nav aria-label="Main">
      <ul className="flex flex-col gap-0.5">
        {ITEMS.map(({ href, label, icon: Icon, owns }) => {
          const current = path === href || owns.some((start) => path.startsWith(start));
          return (
            <li key={href}>
              <Link
                href={href}
                onClick={onNavigate}
                aria-current={current ? 'page' : undefined}
                className={cn(
                  'flex h-8 items-center gap-2.5 rounded-control px-2.5 text-sm transition-colors pointer-coarse:h-11',
                  current
                    ? 'bg-surface font-medium text-ink shadow-sm ring-1 ring-line'
                    : 'text-ink-2 hover:bg-hover hover:text-ink',
                )}
              >
                <Icon aria-hidden className={cn('size-4 shrink-0', current ? 'text-accent' : 'text-ink-3')} />
                {label}
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
