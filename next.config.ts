import type { NextConfig } from 'next';

const config: NextConfig = {
  reactStrictMode: true,
  poweredByHeader: false,
  transpilePackages: ['@mealtable/protocol'],
  devIndicators: false,
};
export default config;
