'use client';
import { createContext, type ReactNode, useContext } from 'react';

const SharedContext = createContext(false);

export function SharedPage({ children }: { children: ReactNode }) {
  return <SharedContext value={true}>{children}</SharedContext>;
}

/** True on the page of a share link: nobody is signed in there, nothing can be changed, and no other page can be opened. */
export const useIsShared = (): boolean => useContext(SharedContext);
