import { Button, Input, SegmentedControl, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { useChangeMe, useMe } from '~/api/me';
import { useT } from '~/app/messages';
import { LANGUAGES } from '~/app/messages/languages';
import classes from '~/features/settings/Settings.module.css';
import { notifyDone } from '~/ui/notify';
import { Panel } from '~/ui/Page';
import { ProblemText } from '~/ui/ProblemText';

const ZONES = Intl.supportedValuesOf('timeZone');

export function ProfileForm() {
  const t = useT();
  const me = useMe();
  const save = useChangeMe();
  const look = useChangeMe();
  const [name, setName] = useState(me.name);
  const [zone, setZone] = useState(me.zone);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate({ name: name.trim(), zone }, { onSuccess: () => notifyDone(t('settings.account.saved')) });
  };
  return (
    <Panel title={t('settings.account.person')}>
      <form onSubmit={submit} className={classes.form}>
        <div className={classes.row}>
          <TextInput className={classes.grow} required maxLength={200} autoComplete="name" label={t('settings.account.name')} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <TextInput className={classes.grow} readOnly label={t('settings.account.email')} value={me.email} />
        </div>
        <Select searchable clearable label={t('settings.account.zone')} description={t('settings.account.zone_hint', { zone: me.workspace.zone })} placeholder={t('settings.account.zone_auto')} data={ZONES} value={zone || null} onChange={(next) => setZone(next ?? '')} />
        <Select
          label={t('settings.account.language')}
          description={t('settings.account.language_hint')}
          allowDeselect={false}
          data={[{ value: '', label: t('settings.account.language_browser') }, ...Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))]}
          value={me.language}
          onChange={(language) => look.mutate({ language: language ?? '' })}
          renderOption={({ option }) => <span lang={option.value || undefined}>{option.label}</span>}
        />
        <Input.Wrapper label={t('settings.account.theme')} labelElement="div" className={classes.swatch}>
          <SegmentedControl
            fullWidth
            aria-label={t('settings.account.theme')}
            value={me.theme}
            onChange={(theme) => look.mutate({ theme })}
            data={[
              { value: 'system', label: t('app.theme.auto') },
              { value: 'light', label: t('app.theme.light') },
              { value: 'dark', label: t('app.theme.dark') },
            ]}
          />
        </Input.Wrapper>
        <ProblemText error={save.error ?? look.error} />
        <div className={classes.buttons}>
          <Button type="submit" variant="filled" loading={save.isPending} disabled={name.trim() === '' || (name === me.name && zone === me.zone)}>{t('app.save')}</Button>
        </div>
      </form>
    </Panel>
  );
}
