"""A bucket with versioning at the S3 server, filled behind the back of what is tested."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from s3fs import S3FileSystem


class Bucket(NamedTuple):
    """One bucket. ``options`` are those of a remote for it."""

    name: str
    options: dict[str, str]
    system: S3FileSystem

    def put(self, key: str, content: str) -> str:
        """Make ``content`` the latest version of a file. Returns its id."""
        return str(self._ask("put_object", Key=key, Body=content.encode()).get("VersionId"))

    def remove(self, key: str, version: str | None = None) -> None:
        """Remove a file, of which the versions stay; or one version of it for good."""
        self._ask("delete_object", Key=key, **({"VersionId": version} if version else {}))

    def make(self, *, versioned: bool) -> None:
        """Make the bucket itself."""
        self._ask("create_bucket")
        if versioned:
            self._ask("put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"})

    def _ask(self, method: str, **words: Any) -> Any:
        return self.system.call_s3(method, Bucket=self.name, **words)


def make_bucket(port: int, *, versioned: bool = True) -> Bucket:
    """A new bucket at the S3 server on ``port``."""
    options = {
        "endpointurl": f"http://127.0.0.1:{port}",
        "access_key_id": "AKIAEXAMPLE",
        "secret_access_key": "verysecretkey",
        "region": "us-east-1",
    }
    system = S3FileSystem(
        key=options["access_key_id"],
        secret=options["secret_access_key"],
        client_kwargs={"endpoint_url": options["endpointurl"], "region_name": options["region"]},
        skip_instance_cache=True,
    )
    bucket = Bucket(f"bucket{os.urandom(6).hex()}", options, system)
    bucket.make(versioned=versioned)
    return bucket
