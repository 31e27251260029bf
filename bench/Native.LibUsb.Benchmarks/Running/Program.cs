using BenchmarkDotNet.Running;

namespace Native.LibUsb.Benchmarks.Running;

internal static class Program
{
    private const string Usage = """
        Native.LibUsb.Benchmarks [--short] [--jit | --aot] [--results FOLDER] [BenchmarkDotNet's arguments, such as --filter '*IsoWalk*' or --list flat]

          --short            few and short iterations of the benchmarks of the category "short"
          --jit, --aot       only compiled just in time, only ahead of time; the default is both
          --results FOLDER   where results.json goes, and BenchmarkDotNet's log and, in its subfolder "results", its tables and JSON files;
                             default: artifacts/bench/micro
        """;

    private static int Main(string[] arguments)
    {
        List<string> rest = [.. arguments];
        bool isShort = rest.Remove("--short"), onlyJit = rest.Remove("--jit"), onlyAot = rest.Remove("--aot");
        string folder = Path.GetFullPath("../../../bench/micro", AppContext.BaseDirectory);
        int results = rest.IndexOf("--results");
        if (results >= 0)
        {
            if (results + 1 == rest.Count)
            {
                Console.Error.WriteLine(Usage);
                return 2;
            }

            folder = Path.GetFullPath(rest[results + 1]);
            rest.RemoveRange(results, 2);
        }

        if (rest.Contains("--help") || rest.Contains("-h"))
            Console.WriteLine(Usage);
        if (!rest.Contains("--filter") && !rest.Contains("-f") && !rest.Contains("--list"))
            rest.AddRange(["--filter", "*"]);

        // BenchmarkDotNet searches for the solution in the current directory and its parents. Below the folder of the solution, BenchmarkDotNet then searches
        // for the project of this assembly. The current directory must therefore be in the repository.
        Environment.CurrentDirectory = AppContext.BaseDirectory;
        using var bus = new BenchmarkBus();
        var summaries = BenchmarkSwitcher
            .FromAssembly(typeof(Program).Assembly)
            .Run([.. rest], BenchmarkConfiguration.Create(bus.Environment, isShort, jit: !onlyAot, aot: !onlyJit, folder))
            .ToList();
        bool measures = !rest.Exists(argument => argument is "--list" or "--help" or "-h" or "--version" or "--info");
        if (!measures)
            return 0;
        ResultsFile.Write(Path.Combine(folder, "results.json"), isShort, summaries);
        return Verdict.Tell(summaries, Console.Out);
    }
}
