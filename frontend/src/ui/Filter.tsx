import { CloseButton, Menu, TextInput, UnstyledButton } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useState } from 'react';
import { useT } from '~/app/messages';
import classes from './Filter.module.css';
import { IconCheck, IconChevronDown, IconSearch } from './icons';

export interface Choice {
  value: string;
  label: string;
}

interface ChipProps {
  label: string;
  value: string | undefined;
  choices: Choice[];
  onChange: (value: string | undefined) => void;
}

/** A filter as a chip: opens a list, shows what is chosen, and is cleared by its cross. */
export function FilterChip({ label, value, choices, onChange }: ChipProps) {
  const t = useT();
  const chosen = choices.find((choice) => choice.value === value);
  const shown = value ? t('app.filter_chosen', { label, value: chosen?.label ?? value }) : label;
  return (
    <span className={classes.chip} data-set={value ? true : undefined}>
      <Menu position="bottom-start">
        <Menu.Target>
          <UnstyledButton className={classes.open}>
            {shown}
            <IconChevronDown size={14} aria-hidden />
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown className={classes.list}>
          {choices.map((choice) => (
            <Menu.Item
              key={choice.value}
              onClick={() => onChange(choice.value)}
              rightSection={choice.value === value ? <IconCheck size={16} aria-hidden /> : null}
            >
              {choice.label}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {value ? (
        <CloseButton size={24} className={classes.clear} aria-label={t('app.filter_clear', { label })} onClick={() => onChange(undefined)} />
      ) : null}
    </span>
  );
}

interface SearchProps {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

/** Search that writes the address a moment after the last key. */
export function SearchBox({ label, value, onChange }: SearchProps) {
  const [text, setText] = useState(value ?? '');
  const tell = useDebouncedCallback((next: string) => onChange(next.trim() || undefined), 250);
  return (
    <TextInput
      type="search"
      className={classes.search}
      aria-label={label}
      placeholder={label}
      leftSection={<IconSearch size={16} aria-hidden />}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        tell(event.currentTarget.value);
      }}
    />
  );
}
