'use client';
import { Monitor, Moon, Sun } from 'lucide-react';
import { useTheme } from 'next-themes';
import { useSyncExternalStore } from 'react';
import { IconButton } from '../ui/button';
import { Menu, MenuRadio } from '../ui/menu';

const THEMES = [
  { value: 'system', label: 'As the system', icon: <Monitor aria-hidden /> },
  { value: 'light', label: 'Light', icon: <Sun aria-hidden /> },
  { value: 'dark', label: 'Dark', icon: <Moon aria-hidden /> },
] as const;

const neverChanges = () => () => {};
/** The theme is known only in the browser; until then no icon claims one. */
export const useIsMounted = () =>
  useSyncExternalStore(
    neverChanges,
    () => true,
    () => false,
  );

export function ThemeSwitch() {
  const { theme, resolvedTheme, setTheme } = useTheme();
  const isMounted = useIsMounted();
  return (
    <Menu
      trigger={
        <IconButton label="Theme">
          {!isMounted ? <Monitor aria-hidden /> : resolvedTheme === 'dark' ? <Moon aria-hidden /> : <Sun aria-hidden />}
        </IconButton>
      }
    >
      <MenuRadio
        value={(isMounted ? theme : undefined) as (typeof THEMES)[number]['value']}
        onChange={setTheme}
        options={THEMES}
      />
    </Menu>
  );
}
