using System.Globalization;
using System.Text;
using System.Text.Json;
using FwCluster.Referee;
using FwCluster.Referee.Lab;
using k8s.Models;

namespace FwCluster.Chart.Tests.Pods;

/// <summary>
/// Starts rendered pods as a kubelet does: volumes from the rendered ConfigMaps and Secrets, the environment with its references, the security
/// context, command and arguments; names as the cluster's DNS would tell them.
/// </summary>
internal sealed class Kubelet : IDisposable
{
    private const string Domain = "firewall.svc";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fwtkubelet");
    private readonly SortedDictionary<string, string[]> _names = new(StringComparer.Ordinal);
    private readonly string _imageRoot;
    private int _started;
    private int _versions;

    /// <param name="imageRoot">The image's root file system.</param>
    public Kubelet(string imageRoot)
    {
        _imageRoot = imageRoot;
        File.WriteAllText(Hosts, "");
        Account = Path.Combine(_folder.FullName, "account");
        Project(Account, Files(("token", "nobody's"), ("ca.crt", ""), ("namespace", "firewall")), 288, 64053);
        Command.Run("chmod", ["755", _folder.FullName]);
    }

    /// <summary>The folder of the pods' service account: token, authority, namespace.</summary>
    public string Account { get; }

    /// <summary>Where pods are told that the API server is.</summary>
    public static (string Address, int Port) ApiServer => ("127.0.0.1", 6443);

    private string Hosts => Path.Combine(_folder.FullName, "hosts");

    /// <summary>A service's name stands for these addresses from now on, in pods that run already, too.</summary>
    public void Resolve(string service, params string[] addresses)
    {
        _names[$"{service}.{Domain}"] = addresses;
        var lines = _names.SelectMany(name => name.Value.Select(address => $"{address} {name.Key}\n"));
        File.WriteAllText(Hosts, "127.0.0.1 localhost\n" + string.Concat(lines)); // in place: it is mounted
    }

    /// <summary>Starts a pod.</summary>
    /// <param name="chart">What was rendered.</param>
    /// <param name="pod">Of it, the pod.</param>
    /// <param name="name">The pod's name; its node's name, too.</param>
    /// <param name="address">The pod's address.</param>
    /// <param name="network">Where it is.</param>
    public Pod Start(RenderedChart chart, V1PodSpec pod, string name, string address, NetworkNamespace network)
    {
        var container = Assert.Single(pod.Containers);
        var folder = Directory.CreateDirectory(Path.Combine(_folder.FullName, string.Create(CultureInfo.InvariantCulture, $"{++_started}-{name}"))).FullName;
        // What outlasts the pod is of its name.
        var state = Directory.CreateDirectory(Path.Combine(_folder.FullName, "state-" + name)).FullName;
        foreach (var init in pod.InitContainers ?? []) // made as the volume of the node is: root's
            Run(network, Write(folder, "init.json", Specification(chart, pod, init, state, folder, [])));
        if (pod.InitContainers is null) Command.Run("chown", ["64053:64053", state]); // by fsGroup
        var environment = Environment(chart, container, name, address);
        var specification = Write(folder, "container.json", Specification(chart, pod, container, state, folder, environment));
        return new Pod(pod, container, network, address, folder, specification, () => network.Start("python3", [Script, "run", specification]));
    }

    /// <summary>Files of a projected folder, by their names.</summary>
    public static Dictionary<string, byte[]> Files(params (string Name, string Content)[] files) => files.ToDictionary(file => file.Name, file => Encoding.UTF8.GetBytes(file.Content));

    /// <summary>Changes what was projected: all at once, by another link.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="data">All of its files.</param>
    public void Change(string folder, IDictionary<string, byte[]> data)
    {
        var old = Path.Combine(folder, File.ResolveLinkTarget(Path.Combine(folder, "..data"), returnFinalTarget: false)!.Name);
        var version = $"..version{++_versions}";
        Command.Run("cp", ["-a", old, Path.Combine(folder, version)]); // owners and modes
        foreach (var (name, content) in data) File.WriteAllBytes(Path.Combine(folder, version, name), content);
        File.CreateSymbolicLink(Path.Combine(folder, "..data_tmp"), version);
        Command.Run("mv", ["-T", Path.Combine(folder, "..data_tmp"), Path.Combine(folder, "..data")]);
        Directory.Delete(old, recursive: true);
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>What starts programs as a container's.</summary>
    internal static string Script => Path.Combine(Repository.Root, "tests", "FwCluster.Chart.Tests", "Pods", "container.py");

    private static void Run(NetworkNamespace network, string specification) => network.Execute("python3", [Script, "run", specification]);

    private static string Write(string folder, string name, object specification)
    {
        var file = Path.Combine(folder, name);
        File.WriteAllText(file, JsonSerializer.Serialize(specification));
        return file;
    }

    private object Specification(
        RenderedChart chart, V1PodSpec pod, V1Container container, string state, string folder, Dictionary<string, string> environment)
    {
        Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
        var user = container.SecurityContext.RunAsUser ?? pod.SecurityContext.RunAsUser;
        Assert.Equal(user != 0, container.SecurityContext.RunAsNonRoot ?? pod.SecurityContext.RunAsNonRoot);
        // The image's own variables, as the Dockerfile says them.
        environment["PATH"] = "/usr/sbin:/usr/bin";
        environment["DOTNET_EnableDiagnostics"] = "0";
        return new
        {
            root = _imageRoot,
            command = container.Command.Concat(container.Args ?? []),
            env = environment,
            user,
            group = pod.SecurityContext.RunAsGroup,
            groups = new[] { pod.SecurityContext.FsGroup },
            capabilities = container.SecurityContext.Capabilities.Add ?? [],
            readOnlyRoot = container.SecurityContext.ReadOnlyRootFilesystem,
            mounts = container.VolumeMounts.Select(mount => new
            {
                target = mount.MountPath,
                source = Volume(chart, pod, mount.Name, state, folder),
                readOnly = mount.ReadOnlyProperty is true,
            }).Append(new { target = "/etc/hosts", source = (string?)Hosts, readOnly = true }),
        };
    }

    /// <summary>The folder of a volume; null for memory.</summary>
    private string? Volume(RenderedChart chart, V1PodSpec pod, string name, string state, string folder)
    {
        var volume = pod.Volumes.FirstOrDefault(v => v.Name == name);
        if (volume?.ConfigMap is { } map)
        {
            var data = chart.Named<V1ConfigMap>(map.Name).Data.ToDictionary(d => d.Key, d => Encoding.UTF8.GetBytes(d.Value));
            return Project(Path.Combine(folder, name), data, map.DefaultMode ?? 420, pod.SecurityContext.FsGroup);
        }
        if (volume?.Secret is { } secret)
        {
            var data = chart.Named<V1Secret>(secret.SecretName).Data;
            var chosen = secret.Items is { } items ? items.ToDictionary(i => i.Path, i => data[i.Key]) : data;
            return Project(Path.Combine(folder, name), chosen, secret.DefaultMode ?? 420, pod.SecurityContext.FsGroup);
        }
        if (volume?.Projected is not null) return Account;
        if (volume?.EmptyDir is not null) return null;
        return state; // of the node, or claimed
    }

    /// <summary>As the kubelet lays out what it projects: files of the group, behind a link that a change would swap.</summary>
    private static string Project(string folder, IDictionary<string, byte[]> data, int mode, long? group)
    {
        if (Directory.Exists(folder)) return folder;
        var version = Directory.CreateDirectory(Path.Combine(folder, "..2026_01_01")).FullName;
        foreach (var (name, content) in data)
        {
            var file = Path.Combine(version, name);
            File.WriteAllBytes(file, content);
            Command.Run("chmod", [Convert.ToString(mode, 8), file]);
            File.CreateSymbolicLink(Path.Combine(folder, name), Path.Combine("..data", name));
        }
        Directory.CreateSymbolicLink(Path.Combine(folder, "..data"), "..2026_01_01");
        Command.Run("chgrp", ["-R", (group ?? 0).ToString(CultureInfo.InvariantCulture), folder]);
        return folder;
    }

    private static Dictionary<string, string> Environment(RenderedChart chart, V1Container container, string name, string address)
    {
        // As in every container, with or without links to services.
        var environment = new Dictionary<string, string>
        {
            ["KUBERNETES_SERVICE_HOST"] = ApiServer.Address,
            ["KUBERNETES_SERVICE_PORT"] = ApiServer.Port.ToString(CultureInfo.InvariantCulture),
        };
        foreach (var variable in container.Env ?? [])
        {
            var value = variable.ValueFrom switch
            {
                null => variable.Value,
                { FieldRef.FieldPath: "status.podIP" } => address,
                { FieldRef.FieldPath: "metadata.name" or "spec.nodeName" } => name,
                { SecretKeyRef: { } key } => Encoding.UTF8.GetString(chart.Named<V1Secret>(key.Name).Data[key.Key]),
                _ => throw new InvalidOperationException($"{variable.Name} comes from something that this kubelet does not know"),
            };
            foreach (var (known, replacement) in environment) value = value.Replace($"$({known})", replacement, StringComparison.Ordinal);
            environment[variable.Name] = value;
        }
        return environment;
    }
}
