import type { Metadata } from 'next';
import { SettingsView } from '@/components/account/settings-view';
import { firstParam, type SearchParams } from '@/components/first-param';

export const metadata: Metadata = { title: 'Settings' };

export default async function SettingsPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  return <SettingsView initialTab={firstParam((await searchParams).tab)} />;
}
