import { Button, Checkbox, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { CHOICES, GROUPS, useChoose, WAYS } from '~/api/notices';
import type { Choice, Choices, Group, Told, Way } from '~/api/notices';
import { useT } from '~/app/messages';
import settings from '~/features/settings/Settings.module.css';
import { notifyDone } from '~/ui/notify';
import { Panel } from '~/ui/Page';
import { ProblemText } from '~/ui/ProblemText';
import classes from './Ways.module.css';

/** Which way for what, the quiet hours, and the daily mail: one form, since one needs the other. */
export function Ways({ told }: { told: Told }) {
  const t = useT();
  const choose = useChoose();
  const [choices, setChoices] = useState<Choices>(told.choices);
  const [quiet, setQuiet] = useState(told.quiet ?? { begins: '22:00', ends: '07:00' });
  const [isQuiet, setIsQuiet] = useState(told.quiet !== null);
  const [at, setAt] = useState(told.digest_at ?? '08:00');
  const collects = WAYS.some((way) => GROUPS.some((group) => choices[way]?.[group] === 'digest'));
  const set = (way: Way, group: Group, choice: Choice) => setChoices((before) => ({ ...before, [way]: { ...before[way], [group]: choice } }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    choose.mutate({ choices, quiet: isQuiet ? quiet : null, digest_at: collects ? at : null }, { onSuccess: () => notifyDone(t('notices.saved')) });
  };
  return (
    <Panel title={t('notices.ways')} description={t('notices.ways.text')}>
      <form onSubmit={submit} className={settings.form}>
        <div className={classes.groups}>
          {GROUPS.map((group) => (
            <fieldset key={group} className={classes.group}>
              <legend>{t(`notices.group.${group}`)}</legend>
              <p className={settings.text}>{t(`notices.group.${group}.text`)}</p>
              <div className={classes.ways}>
                {WAYS.map((way) => <OneWay key={way} way={way} group={group} told={told} choices={choices} onChange={set} />)}
              </div>
            </fieldset>
          ))}
        </div>
        {collects ? <TextInput className={classes.time} type="time" required label={t('notices.digest_at')} description={t('notices.in_zone', { zone: told.zone })} value={at} onChange={(event) => setAt(event.currentTarget.value)} /> : null}
        <Checkbox label={t('notices.quiet')} description={t('notices.quiet.text')} checked={isQuiet} onChange={(event) => setIsQuiet(event.currentTarget.checked)} />
        {isQuiet ? (
          <div className={settings.row}>
            <TextInput className={classes.time} type="time" required label={t('notices.quiet.begins')} description={t('notices.in_zone', { zone: told.zone })} value={quiet.begins} onChange={(event) => setQuiet({ ...quiet, begins: event.currentTarget.value })} />
            <TextInput className={classes.time} type="time" required label={t('notices.quiet.ends')} description={t('notices.in_zone', { zone: told.zone })} value={quiet.ends} onChange={(event) => setQuiet({ ...quiet, ends: event.currentTarget.value })} />
          </div>
        ) : null}
        <ProblemText error={choose.error} />
        <div className={settings.buttons}>
          <Button type="submit" variant="filled" loading={choose.isPending}>{t('app.save')}</Button>
        </div>
      </form>
    </Panel>
  );
}

interface OneWayProps {
  way: Way;
  group: Group;
  told: Told;
  choices: Choices;
  onChange: (way: Way, group: Group, choice: Choice) => void;
}

function OneWay({ way, group, told, choices, onChange }: OneWayProps) {
  const t = useT();
  const offered = told.offered[way]?.[group];
  if (!offered) return null;
  return (
    <Select
      allowDeselect={false}
      label={t(`notices.way.${way}`)}
      data={CHOICES.filter((one) => offered.includes(one)).map((value) => ({ value, label: t(`notices.choice.${value}`) }))}
      value={choices[way]?.[group] ?? 'all'}
      onChange={(value) => onChange(way, group, CHOICES.find((one) => one === value) ?? 'all')}
    />
  );
}
