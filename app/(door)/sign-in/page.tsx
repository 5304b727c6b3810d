import type { Metadata } from 'next';
import { SignInForm } from '@/components/account/sign-in-form';
import { firstParam, type SearchParams } from '@/components/first-param';

export const metadata: Metadata = { title: 'Sign in' };

export default async function SignInPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const { next, error } = await searchParams;
  return <SignInForm next={firstParam(next)} linkError={firstParam(error)} />;
}
