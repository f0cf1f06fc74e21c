import { TextInput, Tooltip, UnstyledButton } from '@mantine/core';
import { useState } from 'react';
import type { StepType } from '~/api/types';
import { isMessage, useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { tintOf, useLookup } from '~/features/canvas/catalogue';
import { StepIcon } from '~/features/canvas/StepIcon';
import { IconSearch } from '~/ui/icons';
import { useActions } from '../actions';
import { newest } from '../document/ports';
import { onStage } from '../view';
import { firstLine } from './help';
import classes from './Palette.module.css';
import { useCarry } from './useCarry';

/** Every step type by category: drag one onto the canvas, or press it to add it behind what is selected. */
export function Palette() {
  const t = useT();
  const { steps } = useLookup();
  const [term, setTerm] = useState('');
  const wanted = term.trim().toLowerCase();
  const found = newest(steps).filter((type) => `${type.title} ${type.kind} ${type.category} ${firstLine(type.help)}`.toLowerCase().includes(wanted));
  const named = (category: string) => (isMessage(`canvas.category.${category.toLowerCase()}`) ? t(`canvas.category.${category.toLowerCase()}` as MessageId) : category);
  const categories = [...new Set(found.map((type) => type.category))];
  return (
    <aside className={classes.palette} aria-label={t('editor.palette')}>
      <div className={classes.search}>
        <TextInput
          aria-label={t('editor.palette.search')}
          placeholder={t('editor.palette.search')}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={term}
          onChange={(event) => setTerm(event.currentTarget.value)}
        />
      </div>
      <div className={classes.groups}>
        {categories.map((category) => (
          <section key={category} aria-label={named(category)}>
            <h2 className={classes.group}>{named(category)}</h2>
            {found.filter((type) => type.category === category).map((type) => <PaletteItem key={type.kind} type={type} />)}
          </section>
        ))}
        {found.length === 0 ? <p className={classes.none} role="status">{t('editor.pick.none')}</p> : null}
      </div>
      <p className={classes.hint}>{t('editor.palette.hint')}</p>
    </aside>
  );
}

function PaletteItem({ type }: { type: StepType }) {
  const actions = useActions();
  const carry = useCarry(type);
  const press = () => {
    if (carry.wasCarried()) return;
    onStage()?.reveal(actions.addNext(type));
  };
  return (
    <Tooltip label={firstLine(type.help)} position="right" multiline maw={260}>
      <UnstyledButton className={classes.item} data-kind={type.kind} onPointerDown={carry.onPointerDown} onClick={press}>
        <StepIcon icon={type.icon} tint={tintOf(type)} size={24} />
        <span className={classes.title}>{type.title}</span>
      </UnstyledButton>
    </Tooltip>
  );
}
