'use client';
import { Menu as MenuIcon, X } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { useState } from 'react';
import { IconButton } from '../ui/button';
import { Logo, LogoMark } from './logo';
import { Nav } from './nav';

export function MobileNav() {
  const [isOpen, setOpen] = useState(false);
  return (
    <Dialog.Root open={isOpen} onOpenChange={setOpen}>
      <div className="flex items-center gap-2 md:hidden">
        <Dialog.Trigger asChild>
          <IconButton label="Open the menu">
            <MenuIcon aria-hidden />
          </IconButton>
        </Dialog.Trigger>
        <LogoMark className="size-6" />
      </div>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 animate-fade bg-scrim" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-y-0 left-0 z-40 flex w-64 flex-col gap-5 border-r bg-raised p-3 shadow-raised outline-none"
        >
          <div className="flex items-center justify-between pl-1.5">
            <Dialog.Title asChild>
              <span>
                <Logo />
              </span>
            </Dialog.Title>
            <Dialog.Close
              aria-label="Close the menu"
              className="inline-flex size-8 items-center justify-center rounded-control text-ink-2 hover:bg-hover hover:text-ink pointer-coarse:size-10"
            >
              <X aria-hidden className="size-4" />
            </Dialog.Close>
          </div>
          <Nav onNavigate={() => setOpen(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
