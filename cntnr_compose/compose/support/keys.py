"""The support of each key of a compose file: tables only, read by `support.report`.

A key that is in none of these tables fails a test. Every table but `HONOURED` has a note for each key: how
it is supported, or why not. Where a key without effect has keys below it, they need no row.
"""

HONOURED: dict[str, str] = {
    "": "name services networks volumes configs secrets include",
    "include.*": "path env_file project_directory",
    "services.*": """
        annotations attach build cap_drop cgroup command configs container_name depends_on deploy develop
        devices dns dns_opt dns_search entrypoint env_file environment extends external_links extra_hosts
        healthcheck
        hostname image ipc label_file labels links logging mac_address network_mode networks
        oom_score_adj pid ports post_start pre_start pre_stop profiles provider pull_policy read_only
        restart runtime scale secrets security_opt shm_size stdin_open stop_grace_period stop_signal
        sysctls tmpfs tty
        ulimits uts volumes volumes_from working_dir x-cntnr
        """,
    "services.*.build": """
        additional_contexts args cache_from cache_to context dockerfile dockerfile_inline entitlements
        extra_hosts labels network no_cache no_cache_filter platforms pull secrets shm_size ssh tags
        target ulimits
        """,
    "services.*.build.secrets.*": "gid mode source target uid",
    "services.*.build.ulimits.*": "hard soft",
    "services.*.configs.*": "mode source target",
    "services.*.depends_on.*": "condition required restart",
    "services.*.deploy": "mode replicas resources restart_policy",
    "services.*.deploy.resources": "limits reservations",
    "services.*.deploy.restart_policy": "condition delay max_attempts window",
    "services.*.develop": "watch",
    "services.*.develop.watch.*": "action exec ignore include initial_sync path target",
    "services.*.develop.watch.*.exec": "command environment privileged user working_dir",
    "services.*.devices.*": "source target permissions",
    "services.*.env_file.*": "path format required",
    "services.*.extends": "service file",
    "services.*.healthcheck": "disable interval retries start_interval start_period test timeout",
    "services.*.logging": "driver options",
    "services.*.networks.*": """
        aliases gw_priority interface_name ipv4_address mac_address priority
        """,
    "services.*.ports.*": "host_ip protocol published target",
    "services.*.post_start.*": "command environment privileged user working_dir",
    "services.*.pre_start.*": "command environment image privileged user working_dir",
    "services.*.pre_stop.*": "command environment privileged user working_dir",
    "services.*.provider": "options type",
    "services.*.secrets.*": "mode source target",
    "services.*.ulimits.*": "hard soft",
    "services.*.volumes.*": "bind image read_only source target tmpfs type volume",
    "services.*.volumes.*.bind": "create_host_path propagation recursive selinux",
    "services.*.volumes.*.image": "subpath",
    "services.*.volumes.*.tmpfs": "mode size",
    "services.*.volumes.*.volume": "nocopy subpath",
    "networks.*": "driver driver_opts external internal ipam labels name",
    "networks.*.external": "name",
    "networks.*.ipam": "config driver",
    "networks.*.ipam.config.*": "aux_addresses gateway ip_range subnet",
    "volumes.*": "driver driver_opts external labels name",
    "volumes.*.external": "name",
    "configs.*": "content environment external file",
    "secrets.*": "environment external file",
    "configs.*.external": "name",
    "secrets.*.external": "name",
}
# Honoured where the host has the named feature: `report.HOST_FEATURES`.
NEEDS_HOST_FEATURE: dict[str, dict[str, str]] = {
    "cpu": {"services.*": "cpus cpu_shares cpu_quota cpu_period"},
    "cpuset": {"services.*": "cpuset"},
    "memory": {"services.*": "mem_limit mem_reservation memswap_limit oom_kill_disable"},
    "pids": {"services.*": "pids_limit"},
    "io": {"services.*": "blkio_config"},
    "cgroups": {"services.*": "cgroup_parent"},
    "domainname": {"services.*": "domainname"},
    "init": {"services.*": "init"},
    "ids": {"services.*": "group_add user"},
    "owners": {
        "services.*.configs.*": "uid gid",
        "services.*.secrets.*": "uid gid",
    },
}
NEEDS_HOST_FEATURE["cpu"]["services.*.deploy.resources.limits"] = "cpus"
NEEDS_HOST_FEATURE["memory"]["services.*.deploy.resources.limits"] = "memory"
NEEDS_HOST_FEATURE["memory"]["services.*.deploy.resources.reservations"] = "memory"
NEEDS_HOST_FEATURE["pids"]["services.*.deploy.resources.limits"] = "pids"
EMULATED: dict[str, str] = {
    "services.*.build.privileged": "all rights in a user namespace",
    "services.*.cap_add": "rights hold in the container's own namespaces, not on the machine",
    "services.*.privileged": "all rights in a user namespace, and the devices that you may open",
    "services.*.platform": "chooses the image; a foreign processor takes binfmt_misc on the machine",
    "services.*.userns_mode": "all containers share one user namespace",
}
# By their nature these change nothing in a container.
METADATA: dict[str, str] = {
    "version": "obsolete; any version means the same",
    "services.*.pre_start.*.per_replica": "false: the hook runs once for all containers",
    "services.*.expose": "shown by `ps`; containers on one network reach each other's ports anyway",
    "services.*.ports.*.app_protocol": "a remark for other tools",
    "services.*.ports.*.mode": "host and ingress differ in a Swarm only",
    "services.*.ports.*.name": "a remark for other tools",
    "services.*.volumes.*.consistency": "changes nothing on Linux",
    "services.*.deploy.labels": "for a Swarm service; containers have `labels`",
    "services.*.deploy.endpoint_mode": "for a Swarm",
    "networks.*.attachable": "for a Swarm; any container may be attached here",
    "configs.*.name": "for a Swarm",
    "configs.*.labels": "for a Swarm",
    "secrets.*.name": "for a Swarm",
    "secrets.*.labels": "for a Swarm",
}
# Creating the container warns of these, so `up` need not warn twice.
REPORTED_AT_CREATE: dict[str, str] = {
    "services.*.cpu_count": "it is for Windows",
    "services.*.cpu_percent": "it is for Windows",
    "services.*.isolation": "it is for Windows",
    "services.*.credential_spec": "it is for Windows",
    "services.*.cpu_rt_period": "takes root and cgroup v1",
    "services.*.cpu_rt_runtime": "takes root and cgroup v1",
    "services.*.mem_swappiness": "takes root and cgroup v1",
    "services.*.device_cgroup_rules": "takes root",
    "services.*.storage_opt": "a container's own files have no limit here",
}
WITHOUT_EFFECT: dict[str, str] = {
    "services.*.use_api_socket": "this is docker's socket; who reads it will find no daemon",
    "models": "there is no runner of models here",
    "services.*.models": "there is no runner of models here",
    "services.*.pull_refresh_after": "docker compose does not know it either",
    "services.*.volumes.*.volume.labels": "anonymous volumes have no labels of their own here",
    "services.*.networks.*.driver_opts": "there are no such options here",
    "services.*.networks.*.ipv6_address": "networks are IPv4 only",
    "services.*.networks.*.link_local_ips": "networks are IPv4 only, with one address each",
    "services.*.deploy.update_config": "for a Swarm",
    "services.*.deploy.rollback_config": "for a Swarm",
    "services.*.deploy.placement": "for a Swarm; there is one machine here",
    "services.*.deploy.resources.reservations.cpus": "for a Swarm",
    "services.*.deploy.resources.reservations.generic_resources": "for a Swarm",
    "services.*.build.isolation": "it is for Windows",
    "services.*.build.provenance": "no attestations are made",
    "services.*.build.sbom": "no attestations are made",
    "networks.*.enable_ipv4": "networks are IPv4 only",
    "networks.*.enable_ipv6": "networks are IPv4 only",
    "networks.*.ipam.options": "there are no such options here",
}
REFUSED: dict[str, str] = {
    "services.*.gpus": "there is no driver for it; name the nodes themselves under `devices`",
    "services.*.deploy.resources.reservations.devices":
        "there is no driver for it; name the nodes themselves under `devices`",
    "configs.*.template_driver": "there are no template drivers",
    "secrets.*.template_driver": "there are no template drivers",
    "secrets.*.driver": "there are no drivers of secrets",
    "secrets.*.driver_opts": "there are no drivers of secrets",
}  # fmt: skip
