"""Files in a bucket: as the API gives them, and as Amazon's client finds them there."""

import io
import json
import os
import sys
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from PIL import Image

API = os.environ["API_URL"]
BUCKET, PREFIX = "village-files", "county/one/"
LINE = "a-line-that-parts-fields"
s3 = boto3.client(
    "s3",
    endpoint_url=os.environ["STORE_URL"],
    region_name="us-east-1",
    aws_access_key_id="a-key",
    aws_secret_access_key="a-secret",
    config=Config(s3={"addressing_style": "path"}),
)


def call(method, path, body=None, token=None, headers=None):
    headers = dict(headers or {})
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if isinstance(body, dict):
        headers["Content-Type"], body = "application/json", json.dumps(body).encode()
    url = path if path.startswith("http") else API + path
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as fault:
        return fault.code, fault.read()


def form(name, content):
    head = f'--{LINE}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    return head + content + f"\r\n--{LINE}--\r\n".encode()


def objects():
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    found = {one["Key"]: one["Size"] for page in pages for one in page.get("Contents", [])}
    # The store's own name, by which a sweep knows that database and store belong together.
    return {key: size for key, size in found.items() if key != f"{PREFIX}store/id"}


def photo(width, height):
    picture = Image.effect_noise((width, height), 90).convert("RGB")
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "Shisuncun"
    picture.save(out, "JPEG", quality=95, exif=exif)
    return out.getvalue()


def check_files():
    signed_in = call("POST", "/api/v1/auth/staff", {"username": "desk", "password": "shuoshi-demo"})
    token = json.loads(signed_in[1])["access_token"]
    kind = {"Content-Type": f"multipart/form-data; boundary={LINE}"}
    original = photo(1600, 1200)

    # In three parts, the second of which comes twice.
    total, third = len(original), len(original) // 3
    cuts = [(0, third), (third, 2 * third), (third, 2 * third), (2 * third, total)]
    for begin, end in cuts:
        headers = kind | {"X-Upload-Id": "object-store-1", "Content-Range": f"bytes {begin}-{end - 1}/{total}"}
        status, body = call("POST", "/api/v1/staff/files", form("a.jpg", original[begin:end]), token, headers)
        assert status == (201 if end == total else 202), (status, body)
    made = json.loads(body)

    status, kept = call("GET", f"/api/v1/staff/files/{made['id']}", token=token)
    assert status == 200 and len(kept) == made["bytes"] and b"Shisuncun" not in kept
    assert Image.open(io.BytesIO(kept)).size == (1600, 1200)
    status, part = call("GET", f"/api/v1/staff/files/{made['id']}", token=token, headers={"Range": "bytes=65500-65600"})
    assert status == 206 and part == kept[65500:65601], status
    status, link = call("GET", f"/api/v1/staff/files/{made['id']}/link", token=token)
    assert call("GET", json.loads(link)["url"]) == (200, kept), link

    # In the bucket: the file and its small one, named by ids, sealed, and no part of the upload.
    expected = {f"{PREFIX}file/{made['id']}", f"{PREFIX}file/{made['id']}.small"}
    assert set(objects()) == expected, objects()
    for key in expected:
        lies = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert not lies.startswith(b"\xff\xd8") and b"JFIF" not in lies, key

    # What is refused leaves nothing there.
    status, body = call("POST", "/api/v1/staff/files", form("a.jpg", original[: total // 2]), token, kind)
    assert status == 422 and json.loads(body)["code"] == "file_broken", (status, body)
    broken = b"\xff\xd8\xff\xe0" + os.urandom(700_000)
    status, body = call("POST", "/api/v1/staff/files", form("a.jpg", broken), token, kind)
    assert status == 422 and json.loads(body)["code"] == "file_broken", (status, body)
    assert not [key for key in objects() if "/upload/" in key], objects()
    print("object_store: files go into the bucket sealed and come out whole")


if sys.argv[1] == "bucket":
    s3.create_bucket(Bucket=BUCKET)
else:
    check_files()
