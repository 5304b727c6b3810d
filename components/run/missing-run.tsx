import { Compass } from 'lucide-react';
import { MissingPage } from '../ui/missing-page';

export function MissingRun() {
  return (
    <MissingPage icon={Compass} title="There is no such run" back={{ href: '/', words: 'To the studies' }}>
      It may have been deleted with its study.
    </MissingPage>
  );
}
