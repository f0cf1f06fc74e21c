import { Checkbox } from '@mantine/core';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { IconAlertTriangle, IconInfoCircle, IconPencil, IconPlus, IconX } from '~/ui/icons';
import type { Icon } from '~/ui/icons';
import type { ChangeGroup, Person, Risk } from './api';
import classes from './Compare.module.css';

type Became = ChangeGroup['changes'][number]['became'];

export const LOOK: Record<Became, { icon: Icon; word: MessageId }> = {
  added: { icon: IconPlus, word: 'versions.added' },
  removed: { icon: IconX, word: 'versions.removed' },
  changed: { icon: IconPencil, word: 'versions.changed' },
};

const byName = (people: Person[]) => people.map((one) => one.name || one.email).join(', ');

interface Props {
  groups: ChangeGroup[];
  /** Groups that are ticked, where one can choose among them. */
  chosen?: ReadonlySet<string>;
  onChoose?: (id: string, chosen: boolean) => void;
  onShow?: (step: string) => void;
}

/** What changed, in the server's words; what belongs together stands together, with who did it. */
export function Changes({ groups, chosen, onChoose, onShow }: Props) {
  const t = useT();
  if (groups.length === 0) return <p className={classes.none}>{t('versions.no_changes')}</p>;
  return (
    <ul className={classes.list} aria-label={t('versions.changes')}>
      {groups.map((group) => {
        const [first] = group.changes;
        const step = group.steps[0];
        return (
          <li key={group.id} className={classes.group}>
            {chosen && onChoose ? (
              <Checkbox size="xs" mt={2} checked={chosen.has(group.id)} aria-label={t('versions.include', { change: first?.text ?? '' })} onChange={(event) => onChoose(group.id, event.currentTarget.checked)} />
            ) : null}
            <div className={classes.told}>
              <ul>
                {group.changes.map((change) => {
                  const { icon: Glyph, word } = LOOK[change.became];
                  return (
                    <li key={change.path} data-became={change.became}>
                      <Glyph size={16} aria-label={t(word)} role="img" />
                      <span>{change.text}</span>
                    </li>
                  );
                })}
              </ul>
              {group.authors.length > 0 ? <p className={classes.by}>{t('versions.by', { people: byName(group.authors) })}</p> : null}
              {onShow && step !== undefined ? <button type="button" className={classes.show} onClick={() => onShow(step)}>{t('versions.show_step', { step: group.title })}</button> : null}
            </div>
          </li>
        );
      })}
    </ul>
  );
}

/** What to look at twice. Grave notes carry a word, not only a colour. */
export function Risks({ notes }: { notes: Risk[] }) {
  const t = useT();
  if (notes.length === 0) return null;
  return (
    <ul className={classes.risks} aria-label={t('versions.risks')}>
      {notes.map((note) => {
        const Glyph = note.severity === 'high' ? IconAlertTriangle : IconInfoCircle;
        return (
          <li key={`${note.code} ${note.text}`} className={classes.risk} data-severity={note.severity}>
            <Glyph size={16} role="img" aria-label={t(note.severity === 'high' ? 'versions.risk' : 'versions.note')} />
            <span>{note.text}</span>
          </li>
        );
      })}
    </ul>
  );
}
