/** Which of a network's parameters are its classifier. */
import { NETWORKS, type NetworkName } from '@mealtable/protocol/networks';

/** What the names of a network's last layer begin with, the only one that depends on the class count. */
export function classifierPrefix(network: NetworkName): string {
  const { family } = NETWORKS[network];
  return family === 'resnet' || family === 'senet' ? 'fc.' : 'classifier.';
}
