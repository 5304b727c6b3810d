/** The words that ssh is started with. Pure, so that a test can read them. */
import type { SshSettings } from '@mealtable/protocol/launchers';

/** The host's name in our file of known hosts: it holds one host, whatever names and ports lead there. */
export const HOST_KEY_NAME = 'mealtable-host';

export interface SshFiles {
  knownHosts: string;
  /** Sockets have paths of 104 characters at most, and ssh appends 17 while it makes one. */
  controlPath: string;
}

/** ssh takes the first value it sees for an option: what must hold comes first, what may be set otherwise last. */
export function sshArguments(settings: SshSettings, files: SshFiles, command: string): string[] {
  const { controlMaster, identityFile, port, destination } = settings;
  const fixed = {
    BatchMode: 'yes',
    StrictHostKeyChecking: 'yes',
    ...hostKeyOptions(files.knownHosts),
    ...(controlMaster
      ? { ControlMaster: 'auto', ControlPath: files.controlPath, ControlPersist: '60' }
      : { ControlMaster: 'no', ControlPath: 'none' }),
  };
  const defaults = {
    ConnectTimeout: '10',
    ServerAliveInterval: '10',
    ServerAliveCountMax: '3',
    // With many keys in an ssh agent the host would hang up before the right one is offered.
    ...(identityFile === undefined ? {} : { IdentitiesOnly: 'yes' }),
  };
  return [
    '-T',
    ...words(fixed),
    ...words(settings.options),
    ...words(defaults),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(identityFile === undefined ? [] : ['-i', identityFile]),
    '--',
    destination,
    command,
  ];
}

/** For one connection that goes as far as the host showing its key, which ssh then writes into the file. */
export function keyScanArguments({ options, port, destination }: SshSettings, knownHosts: string): string[] {
  const fixed = {
    BatchMode: 'yes',
    StrictHostKeyChecking: 'accept-new',
    ...hostKeyOptions(knownHosts),
    ControlMaster: 'no',
    ControlPath: 'none',
    // Nothing is offered to a host that nobody has accepted yet.
    PubkeyAuthentication: 'no',
    GSSAPIAuthentication: 'no',
    HostbasedAuthentication: 'no',
  };
  return [
    ...['-T', ...words(fixed), ...words(options), ...words({ ConnectTimeout: '10' })],
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...['--', destination, 'true'],
  ];
}

const hostKeyOptions = (knownHosts: string) => ({
  UserKnownHostsFile: knownHosts,
  GlobalKnownHostsFile: '/dev/null',
  KnownHostsCommand: 'none',
  HostKeyAlias: HOST_KEY_NAME,
  CheckHostIP: 'no',
  HashKnownHosts: 'no',
  UpdateHostKeys: 'no',
  VerifyHostKeyDNS: 'no',
  ForwardAgent: 'no',
  ForwardX11: 'no',
  ClearAllForwardings: 'yes',
  PermitLocalCommand: 'no',
  RemoteCommand: 'none',
  LogLevel: 'ERROR',
});

const words = (options: Readonly<Record<string, string>>): string[] =>
  Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
