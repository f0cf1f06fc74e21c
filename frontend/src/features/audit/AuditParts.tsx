import { Link } from '@tanstack/react-router';
import { useRight } from '~/api/me';
import { useT } from '~/app/messages';
import classes from './Audit.module.css';

/** The parts of the trail, beside its title. */
export function AuditParts() {
  const t = useT();
  const mayExport = useRight('export.read');
  const link = { className: classes.part, activeProps: { 'data-active': true, 'aria-current': 'page' as const } };
  return (
    <nav className={classes.parts} aria-label={t('audit.nav')}>
      <Link to="/audit/" activeOptions={{ exact: true, includeSearch: false }} {...link}>{t('audit.nav.entries')}</Link>
      <Link to="/audit/check/" {...link}>{t('audit.nav.check')}</Link>
      {mayExport ? <Link to="/audit/evidence/" {...link}>{t('audit.nav.evidence')}</Link> : null}
    </nav>
  );
}
