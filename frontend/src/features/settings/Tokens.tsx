import { Button } from '@mantine/core';
import { useState } from 'react';
import { useRevokeToken, useTokens } from '~/api/me';
import type { ApiToken } from '~/api/types';
import { useT } from '~/app/messages';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { IconBan, IconKey, IconPlus } from '~/ui/icons';
import { Mono } from '~/ui/Mono';
import { PersonName } from '~/ui/PersonName';
import { RelativeTime } from '~/ui/RelativeTime';
import { EmptyState } from '~/ui/States';
import { ListState } from './ListState';
import { NewToken } from './NewToken';
import { RowMenu } from './RowMenu';
import { SectionHead, Tags } from './SectionHead';

/** Access keys: whose, what for, until when. `ownOf`: only that person's. */
export function Tokens({ ownOf }: { ownOf?: string }) {
  const t = useT();
  const tokens = useTokens();
  const revoke = useRevokeToken();
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiToken>();
  const close = () => { revoke.reset(); setRevoking(undefined); };
  const create = (
    <Button variant={ownOf ? 'default' : 'filled'} leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>{t('settings.tokens.new')}</Button>
  );
  const columns: Column<ApiToken>[] = [
    { key: 'name', header: t('settings.tokens.name'), cell: (token) => token.name },
    { key: 'prefix', header: t('settings.tokens.column.begins'), show: 'wide', width: 120, min: 110, cell: (token) => <Mono>{token.prefix ?? ''}</Mono> },
    ...(ownOf ? [] : [{ key: 'owner', header: t('settings.tokens.column.owner'), width: 180, min: 160, cell: (token: ApiToken) => <PersonName email={token.owner ?? ''} /> }]),
    { key: 'scopes', header: t('settings.tokens.scopes'), show: 'wide', cell: (token) => <Tags items={token.scopes ?? []} none={t('settings.tokens.everything')} /> },
    { key: 'until', header: t('settings.tokens.column.expires'), width: 130, labelled: true, cell: (token) => (token.expires_at ? <RelativeTime at={token.expires_at} /> : t('settings.tokens.forever')) },
    { key: 'used', header: t('settings.tokens.column.used'), width: 130, labelled: true, cell: (token) => (token.last_used_at ? <RelativeTime at={token.last_used_at} /> : t('settings.tokens.unused')) },
    { key: 'menu', header: t('app.actions'), width: 48, align: 'end', quiet: true, cell: (token) => <RowMenu name={token.name} actions={[{ label: t('settings.tokens.revoke'), icon: IconBan, act: () => setRevoking(token) }]} /> },
  ];
  const shown = { ...tokens, data: tokens.data && { results: tokens.data.results.filter((token) => !ownOf || token.owner === ownOf) } };
  return (
    <>
      <SectionHead title={t('settings.tokens')} text={t('settings.tokens.text')} action={shown.data?.results.length ? create : null} />
      <ListState query={shown} empty={<EmptyState icon={IconKey} title={t('settings.tokens.first')} action={create}>{t('settings.tokens.first_text')}</EmptyState>}>
        {(rows) => <DataTable label={t('settings.tokens')} columns={columns} rows={rows} rowKey={(token) => token.id} />}
      </ListState>
      {creating ? <NewToken onClose={() => setCreating(false)} /> : null}
      {revoking ? (
        <ConfirmDialog opened danger title={t('settings.tokens.revoke.title', { name: revoking.name })} confirm={t('settings.tokens.revoke')} busy={revoke.isPending} error={revoke.error} onClose={close} onConfirm={() => revoke.mutate(revoking.id, { onSuccess: close })}>
          {t('settings.tokens.revoke.text')}
        </ConfirmDialog>
      ) : null}
    </>
  );
}
