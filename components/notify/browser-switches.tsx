'use client';
import { BROWSER_KINDS, EVENT_KINDS } from '@mealtable/protocol/events';
import { useState } from 'react';
import { Notice } from '../ui/notice';
import { Switch } from '../ui/switch';
import { type Permission, readPermission } from './browser-notice';
import { type BrowserKind, changeNotifySettings, useNotifySettings } from './notify-settings';

const REASONS: Partial<Record<Permission, string>> = {
  impossible:
    'This browser shows notifications only of pages that come over https or from localhost. The bell works everywhere.',
  denied: 'This browser was told to show no notifications of Mealtable. Its settings for this site can change that.',
};

/** Asks for the browser's permission with the first switch that is turned on, never before. */
export function BrowserSwitches() {
  const { kinds } = useNotifySettings();
  const [permission, setPermission] = useState(readPermission);
  const change = async (kind: BrowserKind, isOn: boolean) => {
    if (isOn && permission === 'default') {
      const answer = await Notification.requestPermission();
      setPermission(answer);
      if (answer !== 'granted') return;
    }
    changeNotifySettings({ kinds: BROWSER_KINDS.filter((known) => (known === kind ? isOn : kinds.includes(known))) });
  };
  const reason = REASONS[permission];
  return (
    <div className="mt-2.5 space-y-2.5">
      {BROWSER_KINDS.map((kind) => (
        <Switch
          key={kind}
          label={EVENT_KINDS[kind].name}
          checked={permission === 'granted' && kinds.includes(kind)}
          disabled={reason !== undefined}
          onChange={(isOn) => void change(kind, isOn)}
        />
      ))}
      {reason ? (
        <Notice>{reason}</Notice>
      ) : (
        <p className="text-ink-3 text-xs">
          While Mealtable is open in some tab, and you are not looking at the study already.
        </p>
      )}
    </div>
  );
}
