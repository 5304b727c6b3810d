import type { Metadata, Viewport } from 'next';
import { headers } from 'next/headers';
import type { ReactNode } from 'react';
import { Providers } from '@/components/providers';
import { inter, interExtended, jetbrainsMono, jetbrainsMonoExtended } from './fonts';
import './globals.css';

export const metadata: Metadata = {
  title: { default: 'Mealtable', template: '%s · Mealtable' },
  description: 'Ablation studies of MEAL V2 knowledge distillation.',
  robots: { index: false, follow: false },
};
export const viewport: Viewport = {
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#faf9f7' },
    { media: '(prefers-color-scheme: dark)', color: '#0f1116' },
  ],
};

const fonts = [inter, interExtended, jetbrainsMono, jetbrainsMonoExtended].map((font) => font.variable).join(' ');

export default async function RootLayout({ children }: { children: ReactNode }) {
  // The hub gives every page a nonce; reading it here also keeps pages from being built ahead without one.
  const nonce = (await headers()).get('x-nonce') ?? undefined;
  return (
    <html lang="en" className={fonts} suppressHydrationWarning>
      <body>
        <Providers nonce={nonce}>{children}</Providers>
      </body>
    </html>
  );
}
