import { FlaskConicalOff } from 'lucide-react';
import { MissingPage } from '../ui/missing-page';

export function MissingStudy() {
  return (
    <MissingPage icon={FlaskConicalOff} title="There is no such study" back={{ href: '/', words: 'To the studies' }}>
      It may have been deleted.
    </MissingPage>
  );
}
