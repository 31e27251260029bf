using System.Diagnostics;
using System.Runtime.InteropServices;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Documentation;

/// <summary>Tests that every C# block of the documentation is a program that compiles and runs to its end on a virtual bus.</summary>
public sealed class DocumentedProgramTests(ITestOutputHelper output)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    public static TheoryData<string> Places => [.. DocumentedProgram.ReadAll().Select(static program => program.Place)];

    [BusTheory]
    [MemberData(nameof(Places))]
    public void Every_program_runs_to_its_end(string place)
    {
        using Watchdog watchdog = new(seconds: 180);
        DocumentedProgram program = DocumentedProgram.ReadAll().Single(one => one.Place == place);
        Assert.True(program.Device is not null, $"{place}: there is no line '<!-- run on: DEVICE; last line: TEXT -->' above the block.");

        using TemporaryFolder folder = new();
        IReadOnlyList<string> faults = ProgramCompiler.Compile(place, program.Code, folder.Path, out string path);
        Assert.True(faults.Count == 0, string.Join('\n', faults));

        (int exit, string[] lines, string error) = Run(program, path, DeviceOf(program));
        output.WriteLine(string.Join('\n', lines));
        Assert.True(error.Length == 0, $"{place} wrote to standard error:\n{error}");
        Assert.Equal(0, exit);
        Assert.Equal(program.LastLine, lines.LastOrDefault());
    }

    [BusFact]
    public void The_program_of_transfers_ends_without_an_error_when_its_device_is_unplugged()
    {
        using Watchdog watchdog = new(seconds: 180);
        DocumentedProgram program = DocumentedProgram.ReadAll().Single(static one => one.Document == "docs/guide.md" && one.Code.Contains("SetIsochronous", StringComparison.Ordinal));
        using TemporaryFolder folder = new();
        Assert.Empty(ProgramCompiler.Compile(program.Place, program.Code, folder.Path, out string path));
        (int exit, string[] lines, string error) = Run(program, path, new IsoSource(new IsoSourceOptions { UnplugAfterPackets = 100 }));
        Assert.Empty(error);
        Assert.Equal((0, program.LastLine), (exit, lines.LastOrDefault()));
    }

    [Fact]
    public void The_first_program_has_at_most_15_lines_and_awaits_a_write_and_a_read_with_a_limit()
    {
        DocumentedProgram first = DocumentedProgram.ReadAll()[0];
        Assert.Equal("README.md", first.Document);
        Assert.InRange(first.Code.TrimEnd('\n').Split('\n').Length, 1, 15);
        Assert.Matches("await [a-z]+\\.WriteAsync\\(.*, limit\\)", first.Code);
        Assert.Matches("await [a-z]+\\.ReadAsync\\(.*, limit\\)", first.Code);
        Assert.DoesNotContain("event", first.Code, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Blocks_are_found_with_the_comment_above_them()
    {
        const string text = """
            <!-- run on: loopback:speed=full; last line: 5 bytes: ok -->
            ```csharp
            A();

            B();
            ```
            ```cs
            C();
            ```
            <!-- run on: no device; last line: x -->
            A sentence stands between them.
            ~~~C#
            D();
            ~~~
            <!-- run on: no device; last line: x -->
            ```
            not C#
            ```
            ````csharp
            ```
            E();
            ````
            ```csharpish
            ```
            """;
        Assert.Equal(
            [
                new DocumentedProgram("x.md", 2, "A();\n\nB();\n", "loopback:speed=full", "5 bytes: ok"),
                new DocumentedProgram("x.md", 7, "C();\n", null, null),
                new DocumentedProgram("x.md", 12, "D();\n", null, null),
                new DocumentedProgram("x.md", 19, "```\nE();\n", null, null),
            ],
            DocumentedProgram.Read("x.md", text));
    }

    [Fact]
    public void A_block_without_an_end_is_refused() =>
        Assert.Equal("x.md:2: the block does not end.", Assert.Throws<FormatException>(() => DocumentedProgram.Read("x.md", "\n```csharp\nA();\n").ToList()).Message);

    [Theory]
    [InlineData("Native.LibUsb.UsbContext.Nothing();", "error CS0117")]
    [InlineData("int unused = 1;", "warning CS0219")]
    [InlineData("string none = null; Console.WriteLine(none);", "warning CS8600")]
    public void Errors_and_warnings_of_the_compiler_are_faults(string code, string fault)
    {
        using TemporaryFolder folder = new();
        Assert.Contains(ProgramCompiler.Compile("x.md:1", code, folder.Path, out _), one => one.StartsWith("x.md:1(", StringComparison.Ordinal) && one.Contains(fault, StringComparison.Ordinal));
    }

    private static (int Exit, string[] Lines, string Error) Run(DocumentedProgram program, string path, VirtualDevice? device)
    {
        using VirtualBus bus = TestBus.Create();
        using Process process = Start(bus, path, device);
        Task<string> lines = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(s_patience))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            Assert.Fail($"{program.Place} did not end within {s_patience.TotalSeconds} s. Its output:\n{lines.Result}\n{error.Result}");
        }

        return (process.ExitCode, lines.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries), error.Result);
    }

    private static Process Start(VirtualBus bus, string path, VirtualDevice? device)
    {
        if (device is not null)
            bus.Attach(device);
        string dotnet = Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet");
        ProcessStartInfo start = new(dotnet, ["exec", path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(path)!,
        };
        bus.ApplyTo(start);
        return Process.Start(start)!;
    }

    private static VirtualDevice? DeviceOf(DocumentedProgram program) => program.Device switch
    {
        _ when program.NeedsNoDevice => null,
        "camera" => new IsoSource(),
        "loopback" => new BulkLoopback(),
        "source-sink" => new BulkSourceSink(),
        "interrupt" => new InterruptSource(new InterruptSourceOptions { PeriodMilliseconds = 1 }),
        var other => throw new FormatException($"{program.Place}: '{other}' is no device; there are camera, loopback, source-sink, interrupt, and 'no device'."),
    };
}
