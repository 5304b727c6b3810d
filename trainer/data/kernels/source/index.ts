export { imageChannels, imageHeight, imageWidth, readHeader } from './header';
export { decodeRegion } from './jpeg';
export { forgetAll, take } from './memory';
export { acrossColour, acrossGrey, down, spread } from './resample';
