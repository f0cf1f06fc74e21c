import { TextInput } from '@mantine/core';
import { Fragment, useId, useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { useT } from '~/app/messages';
import { IconSearch } from '~/ui/icons';
import classes from './PickList.module.css';

export interface PickItem {
  id: string;
  title: string;
  detail?: string;
  icon?: ReactNode;
  group?: string;
  /** Further words by which it is found. */
  words?: string;
}

interface Props {
  label: string;
  placeholder: string;
  items: PickItem[];
  /** A sentence below the list. */
  note?: string;
  /** What is said where there is nothing to choose at all. */
  none?: string;
  /** What was typed before the list opened. */
  start?: string;
  onPick: (id: string) => void;
}

/** How well an item fits what is typed: the title's beginning first, any of its words last; `null` not at all. */
function rank(item: PickItem, term: string): number | null {
  const title = item.title.toLowerCase();
  if (title.startsWith(term)) return 0;
  if (title.includes(term)) return 1;
  return `${item.words ?? ''} ${item.group ?? ''} ${item.detail ?? ''}`.toLowerCase().includes(term) ? 2 : null;
}

function search(items: PickItem[], term: string): PickItem[] {
  const wanted = term.trim().toLowerCase();
  if (wanted === '') return items;
  return items
    .flatMap((item) => {
      const found = rank(item, wanted);
      return found === null ? [] : [{ item, found }];
    })
    .sort((a, b) => a.found - b.found)
    .map(({ item }) => item);
}

/** A list to choose one thing from by typing and arrows, or with the pointer. */
export function PickList({ label, placeholder, items, note, none, start = '', onPick }: Props) {
  const t = useT();
  const base = useId();
  const [term, setTerm] = useState(start);
  const [at, setAt] = useState(0);
  const found = search(items, term);
  const active = Math.min(at, found.length - 1);
  const optionId = (index: number) => `${base}-${index}`;

  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Record<string, number> = { ArrowDown: active + 1, ArrowUp: active - 1, Home: 0, End: found.length - 1 };
    const next = moves[event.key];
    if (next !== undefined && !(event.key === 'Home' || event.key === 'End') && found.length > 0) {
      const index = (next + found.length) % found.length;
      setAt(index);
      document.getElementById(optionId(index))?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter' && found[active]) onPick(found[active].id);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div className={classes.list}>
      <TextInput
        data-autofocus
        autoFocus
        aria-label={label}
        placeholder={placeholder}
        leftSection={<IconSearch size={16} aria-hidden />}
        role="combobox"
        aria-expanded
        aria-controls={`${base}-options`}
        aria-activedescendant={found[active] ? optionId(active) : undefined}
        value={term}
        onFocus={(event) => event.currentTarget.setSelectionRange(event.currentTarget.value.length, event.currentTarget.value.length)}
        onChange={(event) => {
          setTerm(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={`${base}-options`} role="listbox" aria-label={label} className={classes.options}>
        {found.map((item, index) => (
          <Fragment key={item.id}>
          {item.group && item.group !== found[index - 1]?.group ? <li role="presentation" className={classes.group}>{item.group}</li> : null}
          {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events -- keys belong to the text field above */}
          <li
            id={optionId(index)}
            role="option"
            aria-selected={index === active}
            className={classes.option}
            onMouseEnter={() => setAt(index)}
            onClick={() => onPick(item.id)}
          >
            {item.icon}
            <span className={classes.words}>
              <span className={classes.title}>{item.title}</span>
              {item.detail ? <span className={classes.detail}>{item.detail}</span> : null}
            </span>
          </li>
          </Fragment>
        ))}
      </ul>
      {found.length === 0 ? <p className={classes.none} role="status">{items.length === 0 && none ? none : t('editor.pick.none')}</p> : null}
      {note ? <p className={classes.note}>{note}</p> : null}
    </div>
  );
}
