import type { Metadata } from 'next';
import { WelcomeForm } from '@/components/account/welcome-form';

export const metadata: Metadata = { title: 'Welcome' };

export default function WelcomePage() {
  return <WelcomeForm />;
}
