import { isMessage } from '~/app/messages';
import type { MessageId, Translate } from '~/app/messages';

/** "Published flow" for `flow.publish`; a verb without words reads as it stands. */
export function verbWords(verb: string, t: Translate): string {
  const id = `audit.verb.${verb}`;
  const plain = verb.replaceAll(/[._]/g, ' ');
  return isMessage(id) ? t(id) : plain.charAt(0).toUpperCase() + plain.slice(1);
}

/** What the filter offers: all verbs of one noun. The server reads `flow.` as every verb of flows. */
export const NOUNS: [prefix: string, label: MessageId][] = [
  ['flow.', 'audit.noun.flow'],
  ['run.', 'audit.noun.run'],
  ['event.', 'audit.noun.event'],
  ['task.', 'audit.noun.task'],
  ['member.', 'audit.noun.member'],
  ['delegation.', 'audit.noun.delegation'],
  ['filter.', 'audit.noun.filter'],
  ['request.', 'audit.noun.request'],
  ['secret.', 'audit.noun.secret'],
  ['token.', 'audit.noun.token'],
  ['sign_in.', 'audit.noun.sign_in'],
  ['access.', 'audit.noun.access'],
  ['settings.', 'audit.noun.settings'],
  ['export.', 'audit.noun.export'],
  ['destination.', 'audit.noun.destination'],
];
