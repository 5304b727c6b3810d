'use client';
/** Everything that every page stands in: theme, data, tooltips, toasts. */
import { ThemeProvider } from 'next-themes';
import type { ReactNode } from 'react';
import { TrpcProvider } from './trpc-provider';
import { Toaster } from './ui/toast';
import { TooltipProvider } from './ui/tooltip';

/** @param nonce what the page's policy demands of the script that sets the theme before the first paint */
export function Providers({ nonce, children }: { nonce: string | undefined; children: ReactNode }) {
  return (
    <ThemeProvider attribute="class" defaultTheme="system" enableSystem disableTransitionOnChange nonce={nonce}>
      <TrpcProvider>
        <TooltipProvider>
          {children}
          <Toaster />
        </TooltipProvider>
      </TrpcProvider>
    </ThemeProvider>
  );
}
