import { Avatar, Tooltip } from '@mantine/core';
import { useMe } from '~/api/me';
import { useT } from '~/app/messages';
import { useActions } from '../actions';
import { usePresence } from '../presence';
import type { Present } from '../presence';
import { useEditor } from '../store';
import { onStage, select } from '../view';
import classes from './Header.module.css';

const MOST = 4;
const initials = (name: string) => name.split(/\s+/).map((part) => part[0] ?? '').slice(0, 2).join('').toUpperCase();

/** Who else has this flow open, and which step they are at; pressing shows it. */
export function People({ flowId }: { flowId: string }) {
  const t = useT();
  const present = usePresence(flowId);
  if (present.length === 0) return null;
  return (
    <ul className={classes.people} aria-label={t('versions.people')}>
      {present.slice(0, MOST).map((one) => <Person key={one.id} one={one} />)}
      {present.length > MOST ? <li className={classes.more}>{t('versions.people.more', { count: present.length - MOST })}</li> : null}
    </ul>
  );
}

function Person({ one }: { one: Present }) {
  const t = useT();
  const me = useMe();
  const { titleOf } = useActions();
  const steps = useEditor((editor) => editor.document.steps);
  const at = one.selected.find((id) => id === 'trigger' || steps[id] !== undefined);
  const name = one.user === me.id ? t('versions.people.own') : one.name;
  const label = at === undefined ? t('versions.people.here', { name }) : t('versions.people.at', { name, step: titleOf(at) });
  const show = () => {
    if (at === undefined) return;
    select([at]);
    onStage()?.reveal(at);
  };
  return (
    <li>
      <Tooltip label={label}>
        <button type="button" className={classes.person} aria-label={label} onClick={show}>
          <Avatar size={26} radius="xl" color="var(--sb-accent)" aria-hidden>{initials(one.name)}</Avatar>
        </button>
      </Tooltip>
    </li>
  );
}
