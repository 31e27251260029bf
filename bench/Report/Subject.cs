namespace Native.LibUsb.Bench.Report;

/// <summary>Represents one of the programs that do the same work.</summary>
/// <param name="Name">The program's name in the JSON file.</param>
/// <param name="Title">The program's name in tables.</param>
/// <param name="Command">The command that starts the program, including the argument that selects the layer.</param>
internal sealed record Subject(string Name, string Title, string[] Command)
{
    /// <summary>Gets whether the program is compiled just in time. Such a program needs some time until all hot code is compiled.</summary>
    public bool IsCompiledJustInTime => Name.StartsWith("jit", StringComparison.Ordinal);

    /// <summary>Gets whether the program supports only asynchronous transfers. Such a program cannot run work of the kind <c>sync</c>.</summary>
    public bool IsOnlyAsynchronous => Command[^1] is "delegate" or "ring" or "ring-untimed";

    public override string ToString() => Name;
}

/// <summary>Lists the capture programs that <c>eng/bench.sh</c> has built.</summary>
internal static class Subjects
{
    private static readonly string[] s_jit = ["dotnet", "artifacts/bench/jit/capture.dll"];
    private const string Aot = "artifacts/bench/aot/capture", AotStatic = "artifacts/bench/aot-static/capture";

    public static readonly Subject
        C = new("c", "C", ["artifacts/bench/capture", "c"]),
        CStatic = new("c-static", "C, libusb inside", ["artifacts/bench/capture-static", "c"]),
        AotRaw = new("aot-raw", "AOT raw layer", [Aot, "raw"]),
        AotFacade = new("aot-facade", "AOT facade", [Aot, "facade"]),
        AotDelegate = new("aot-delegate", "AOT facade, delegate", [Aot, "delegate"]),
        AotRing = new("aot-ring", "AOT ring", [Aot, "ring"]),
        AotRingUntimed = new("aot-ring-untimed", "AOT ring, no timestamps", [Aot, "ring-untimed"]),
        AotStaticRaw = new("aot-static-raw", "AOT raw, libusb inside", [AotStatic, "raw"]),
        AotStaticFacade = new("aot-static-facade", "AOT facade, libusb inside", [AotStatic, "facade"]),
        JitRaw = new("jit-raw", "JIT raw layer", [.. s_jit, "raw"]),
        JitFacade = new("jit-facade", "JIT facade", [.. s_jit, "facade"]),
        JitDelegate = new("jit-delegate", "JIT facade, delegate", [.. s_jit, "delegate"]),
        JitRing = new("jit-ring", "JIT ring", [.. s_jit, "ring"]),
        Python = new("python", "python-libusb1", ["/usr/bin/python3", "bench/Capture/capture.py", "python"]);

    private static readonly Dictionary<string, string> s_titles = new[]
    {
        C, CStatic, AotRaw, AotFacade, AotDelegate, AotRing, AotRingUntimed, AotStaticRaw, AotStaticFacade, JitRaw, JitFacade, JitDelegate, JitRing, Python,
    }.ToDictionary(static subject => subject.Name, static subject => subject.Title);

    public static string TitleOf(string name) => s_titles[name];
}
