"""Business time as a SQL function: the database's clock, moved only by the test clock."""

from django.db import migrations

CREATE = """
create function business_now() returns timestamptz language sql stable parallel safe as $$
  select clock_timestamp() + coalesce((select "offset" from core_clockoffset where id = 1), interval '0')
$$
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, "drop function business_now()")]
