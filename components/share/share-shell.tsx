'use client';
import type { ReactNode } from 'react';
import { LiveDot } from '../shell/live-dot';
import { Logo } from '../shell/logo';
import { ThemeSwitch } from '../shell/theme-switch';
import { Badge } from '../ui/badge';
import { SharedPage } from './shared-context';

/** The frame of a share link's page: there is nowhere else to go. */
export function ShareShell({ children, isLive }: { children: ReactNode; isLive: boolean }) {
  return (
    <SharedPage>
      <div className="flex min-h-dvh flex-col">
        <a
          href="#main"
          className="fixed top-2 left-2 z-50 -translate-y-16 rounded-control bg-accent px-3 py-2 font-medium text-on-accent text-sm focus:translate-y-0"
        >
          Skip to the content
        </a>
        <header className="sticky top-0 z-30 flex h-12 shrink-0 items-center gap-3 border-b bg-canvas/90 px-4 backdrop-blur-sm md:px-6">
          <Logo />
          <Badge>Shared, read-only</Badge>
          <div className="grow" />
          {isLive && <LiveDot />}
          <ThemeSwitch />
        </header>
        <main
          id="main"
          tabIndex={-1}
          className="mx-auto w-full max-w-[1520px] grow px-4 py-6 outline-none md:px-6 lg:px-8"
        >
          {children}
        </main>
      </div>
    </SharedPage>
  );
}
