'use client';
import { WebhooksSection } from '../notify/webhooks-section';
import { PageHeader } from '../ui/page-header';
import { Skeleton } from '../ui/skeleton';
import { TabPanel, Tabs } from '../ui/tabs';
import { useQueryTab } from '../use-query-tab';
import { AccountSection } from './account-section';
import { MembersSection } from './members-section';
import { TokensSection } from './tokens-section';
import { useMe } from './use-me';

const TABS = ['account', 'members', 'tokens', 'webhooks'] as const;
type Tab = (typeof TABS)[number];
const LABELS: Record<Tab, string> = { account: 'Account', members: 'Members', tokens: 'Tokens', webhooks: 'Webhooks' };

export function SettingsView({ initialTab }: { initialTab: string | null }) {
  const { me, isOwner, canEdit } = useMe();
  const [tab, setTab] = useQueryTab(TABS, initialTab);
  const mayOpen: Record<Tab, boolean> = { account: true, members: isOwner, tokens: canEdit, webhooks: isOwner };
  const tabs = TABS.filter((value) => mayOpen[value]).map((value) => ({ value, label: LABELS[value] }));
  return (
    <>
      <PageHeader title="Settings" />
      {!me ? (
        <Skeleton className="h-64" />
      ) : (
        <Tabs value={mayOpen[tab] ? tab : 'account'} onChange={setTab} tabs={tabs} label="Settings">
          <TabPanel value="account">
            <AccountSection />
          </TabPanel>
          {isOwner && (
            <TabPanel value="members">
              <MembersSection myId={me.id} />
            </TabPanel>
          )}
          {canEdit && (
            <TabPanel value="tokens">
              <TokensSection />
            </TabPanel>
          )}
          {isOwner && (
            <TabPanel value="webhooks">
              <WebhooksSection />
            </TabPanel>
          )}
        </Tabs>
      )}
    </>
  );
}
