using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Tests.Linking;

/// <summary>Represents a project, and runs one part of its build. This part selects the libusb that the build would link, and compiles nothing.</summary>
internal sealed class LinkProject : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _items = [];
    private readonly Dictionary<string, string> _properties = new()
    {
        ["PublishAot"] = "true",
        ["RuntimeIdentifier"] = RuntimeInformation.RuntimeIdentifier,
        ["NETCoreSdkRuntimeIdentifier"] = RuntimeInformation.RuntimeIdentifier,
    };

    internal string this[string property]
    {
        set => _properties[property] = value;
    }

    /// <summary>Gets the path of a file in the folder of the project.</summary>
    internal string File(string name) => _folder.File(name);

    /// <summary>Adds an item to the project.</summary>
    internal void AddItem(string type, string include) => _items.Add($"""<{type} Include="{include}" />""");

    /// <summary>Adds a file to the project in the same way as a runtime package.</summary>
    internal void AddRuntimeFile(string path, string link, string udev) =>
        _items.Add($"""<LibUsbRuntimeFile Include="{path}" Rid="{RuntimeInformation.RuntimeIdentifier}" Link="{link}" Udev="{udev}" />""");

    /// <summary>
    /// Compiles C code to an object file, and creates an archive that contains the object file. <paramref name="change"/> may change the bytes of the object
    /// file before the archive is created.
    /// </summary>
    internal string Archive(string source, Action<byte[]>? change = null)
    {
        string objectFile = File("member.o"), archive = File("libusb-1.0.a");
        CCompiler.Run(source + "\n", "-c", "-o", objectFile);
        byte[] bytes = System.IO.File.ReadAllBytes(objectFile);
        change?.Invoke(bytes);
        System.IO.File.WriteAllBytes(objectFile, bytes);
        using Process ar = Process.Start("ar", ["rc", archive, objectFile]);
        ar.WaitForExit();
        Assert.Equal(0, ar.ExitCode);
        return archive;
    }

    /// <summary>Gets the path of the file that the build would link with the program.</summary>
    internal string FindFile()
    {
        (int exitCode, string output) = Run("LibUsbFindLinkFile", "-getProperty:LibUsbLinkFile");
        Assert.True(exitCode == 0, output);
        return output.Trim();
    }

    /// <summary>Gets the items of a type after a target of the build has run, as JSON.</summary>
    internal string FindItems(string type, string target)
    {
        (int exitCode, string output) = Run(target, $"-getItem:{type}");
        Assert.True(exitCode == 0, output);
        return output;
    }

    /// <summary>Gets the message of the build's only error, without the file and line.</summary>
    internal string FindError()
    {
        (int exitCode, string output) = Run("LibUsbFindLinkFile");
        Assert.NotEqual(0, exitCode);
        string error = Assert.Single(output.Split('\n'), line => line.Contains("error ", StringComparison.Ordinal));
        error = error[(error.IndexOf("error ", StringComparison.Ordinal) + "error ".Length)..];
        return error[..error.LastIndexOf(" [", StringComparison.Ordinal)];
    }

    public void Dispose() => _folder.Dispose();

    private (int ExitCode, string Output) Run(string target, params string[] options)
    {
        string properties = string.Concat(_properties.Select(property => $"<{property.Key}>{property.Value}</{property.Key}>"));
        System.IO.File.WriteAllText(File("program.proj"), $"""
            <Project>
              <PropertyGroup>{properties}</PropertyGroup>
              <ItemGroup>{string.Concat(_items)}</ItemGroup>
              <Import Project="{Repository.PathOf("src", "Native.LibUsb.Build", "Native.LibUsb.targets")}" />
            </Project>
            """);
        string dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));
        var start = new ProcessStartInfo(dotnet, ["msbuild", File("program.proj"), $"-t:{target}", "-nologo", "-v:quiet", "-nodeReuse:false", .. options])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["LD_PRELOAD"] = "" },
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(s_limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail("MSBuild did not end.");
        }

        return (process.ExitCode, output.GetAwaiter().GetResult() + errors.GetAwaiter().GetResult());
    }
}
