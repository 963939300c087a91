#!/usr/bin/env python3
"""embed_templates.py OUTPUT TEMPLATE...: writes a header that holds each template as a string, named after its file."""

import sys
from pathlib import Path

output, *templates = map(Path, sys.argv[1:])
lines = ["// Made by embed_templates.py from init/ and systemd/.", "#pragma once", "", "#include <string_view>", "", "namespace steward::init::templates {", ""]
for path in templates:
    name = path.name.replace(".", "_").replace("-", "_").removesuffix("_in")
    lines.append(f'inline constexpr std::string_view {name} = R"template({path.read_text()})template";\n')
lines.append("}  // namespace steward::init::templates\n")
output.write_text("\n".join(lines))
