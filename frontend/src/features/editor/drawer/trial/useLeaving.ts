import { useIntl } from 'react-intl';
import type { Leaving } from '~/api/testing';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { useLookup } from '~/features/canvas/catalogue';

const WORDS: Record<string, MessageId> = {
  'mail.send': 'testing.leaves.mail', 'http.request': 'testing.leaves.request', emit: 'testing.leaves.event', subflow: 'testing.leaves.flow',
};

/** "3 mails and 1 request", in the reader's language. */
export function useLeaving(): (leaves: Leaving[]) => string {
  const t = useT();
  const intl = useIntl();
  const types = useLookup();
  return (leaves) =>
    intl.formatList(leaves.map(({ type, count }) => {
      const words = WORDS[type];
      return words ? t(words, { count }) : t('testing.leaves.other', { count, title: types.step(type, 1)?.title ?? type });
    }));
}
