'use client';
/** The frame of every signed-in page: sidebar on wide screens, a bar with a sheet on narrow ones. */
import Link from 'next/link';
import type { ReactNode } from 'react';
import { Bell } from '../notify/bell';
import { BrowserNotifications } from '../notify/browser-notifications';
import { AccountMenu } from './account-menu';
import { LiveDot } from './live-dot';
import { Logo } from './logo';
import { MobileNav } from './mobile-nav';
import { Nav } from './nav';
import { PasswordReminder } from './password-reminder';
import { ThemeSwitch } from './theme-switch';

export function Shell({ children }: { children: ReactNode }) {
  return (
    <div className="flex min-h-dvh flex-col md:flex-row">
      <a
        href="#main"
        className="fixed top-2 left-2 z-50 -translate-y-16 rounded-control bg-accent px-3 py-2 font-medium text-on-accent text-sm focus:translate-y-0"
      >
        Skip to the content
      </a>
      <aside className="sticky top-0 hidden h-dvh w-48 shrink-0 flex-col gap-5 border-r bg-sunken px-3 py-3 md:flex">
        <Link href="/" className="flex h-8 items-center rounded-control px-1.5" aria-label="Mealtable, home">
          <Logo />
        </Link>
        <Nav />
      </aside>
      <div className="flex min-w-0 grow flex-col">
        <header className="sticky top-0 z-30 flex h-12 shrink-0 items-center gap-1 border-b bg-canvas/90 px-3 backdrop-blur-sm md:px-6">
          <MobileNav />
          <div className="grow" />
          <LiveDot />
          <Bell />
          <ThemeSwitch />
          <span className="ml-1 inline-flex">
            <AccountMenu />
          </span>
        </header>
        <PasswordReminder />
        <BrowserNotifications />
        <main id="main" tabIndex={-1} className="w-full max-w-[1520px] grow px-4 py-6 outline-none md:px-6 lg:px-8">
          {children}
        </main>
      </div>
    </div>
  );
}
