using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains;
using BenchmarkDotNet.Toolchains.CsProj;

namespace Native.LibUsb.Benchmarks.Running;

/// <summary>
/// Writes the project that BenchmarkDotNet builds for a job. The project that BenchmarkDotNet writes by default refers to our project. With that project, each
/// job would build our project again, with the properties of this repository and the output folders of the job, and two such builds would run at the same time.
/// The project that this class writes refers to the existing build output in the folder of this program, and imports nothing from its parent folders.
/// </summary>
internal sealed class GeneratedProject : CsProjGenerator
{
    // The assemblies that BenchmarkDotNet needs only in its host process: compilers, disassemblers, trace readers and the command line parser. If a benchmark
    // program also referred to these assemblies, its ahead-of-time compilation would take minutes longer.
    private const string OnlyOfTheHost =
        "Microsoft.CodeAnalysis*.dll;Microsoft.Diagnostics.*.dll;Microsoft.Extensions.*.dll;CommandLine.dll;Dia2Lib.dll;Gee.External.Capstone.dll;Iced.dll;"
        + "TraceReloggerLib.dll;System.*.dll";

    private const string JustInTime = """
          <PropertyGroup>
            <UseAppHost>false</UseAppHost>
          </PropertyGroup>
        """;

    // BenchmarkDotNet uses reflection to read the allocations and the lock contentions.
    private const string Roots = """
        <Directives>
          <Application>
            <Assembly Name="System.Private.CoreLib">
              <Type Name="System.GC" Dynamic="Required All" />
              <Type Name="System.Threading.Monitor" Dynamic="Required All" />
              <Type Name="System.Threading.ThreadPool" Dynamic="Required All" />
            </Assembly>
          </Application>
        </Directives>
        """;

    private readonly string _framework;
    private readonly string? _runtimeIdentifier;

    /// <summary>Initializes the generator.</summary>
    /// <param name="framework">The target framework, such as net10.0.</param>
    /// <param name="runtimeIdentifier">The runtime identifier of a program that is compiled ahead of time; null for other programs.</param>
    public GeneratedProject(string framework, string? runtimeIdentifier)
        : base(framework, null!, null!, null!)
    {
        _framework = framework;
        _runtimeIdentifier = runtimeIdentifier;
    }

    /// <summary>Gets the folder of the built benchmarks, which is also the folder of this program.</summary>
    private static string Built => AppContext.BaseDirectory;

    protected override string GetExecutableExtension() => _runtimeIdentifier is null ? base.GetExecutableExtension() : "";

    protected override string GetBinariesDirectoryPath(string buildArtifactsDirectoryPath, string configuration) => _runtimeIdentifier is null
        ? base.GetBinariesDirectoryPath(buildArtifactsDirectoryPath, configuration)
        : Path.Combine(buildArtifactsDirectoryPath, "bin", configuration, _framework, _runtimeIdentifier, "publish");

    protected override void GenerateProject(BuildPartition buildPartition, ArtifactsPaths artifactsPaths, ILogger logger)
    {
        string folder = Path.GetDirectoryName(artifactsPaths.ProjectFilePath)!;
        string left = string.Join(';', OnlyOfTheHost.Split(';').Select(name => Built + name));
        File.WriteAllText(artifactsPaths.ProjectFilePath, $"""
            <Project>
              <PropertyGroup>
                <ImportDirectoryBuildProps>false</ImportDirectoryBuildProps>
                <ImportDirectoryBuildTargets>false</ImportDirectoryBuildTargets>
                <ImportDirectoryPackagesProps>false</ImportDirectoryPackagesProps>
                <EnableDefaultItems>false</EnableDefaultItems>
              </PropertyGroup>
              <Import Project="Sdk.props" Sdk="Microsoft.NET.Sdk" />
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>{_framework}</TargetFramework>
                <AssemblyName>{artifactsPaths.ProgramName}</AssemblyName>
                <AllowUnsafeBlocks>true</AllowUnsafeBlocks>
                <LangVersion>latest</LangVersion>
                <InvariantGlobalization>true</InvariantGlobalization>
                <RunAnalyzers>false</RunAnalyzers>
                <DebugType>none</DebugType>
                <NuGetAudit>false</NuGetAudit>
              </PropertyGroup>
              <ItemGroup>
                <Compile Include="{Path.GetFileName(artifactsPaths.ProgramCodePath)}" />
                <Reference Include="{Built}*.dll" />
                <None Include="{Built}*.so" Link="%(Filename)%(Extension)" CopyToOutputDirectory="PreserveNewest" CopyToPublishDirectory="PreserveNewest" />
              </ItemGroup>
            {(_runtimeIdentifier is null ? JustInTime : AheadOfTime(left))}
              <Import Project="Sdk.targets" Sdk="Microsoft.NET.Sdk" />
            </Project>
            """);
        File.WriteAllText(Path.Combine(folder, "roots.rd.xml"), Roots);
    }

    /// <summary>
    /// Returns the part of the project for ahead-of-time compilation. A target in this part removes the assemblies that only the host needs from the input of
    /// the compiler and from the files that are copied to the output.
    /// </summary>
    private string AheadOfTime(string left) => $"""
          <PropertyGroup>
            <RuntimeIdentifier>{_runtimeIdentifier}</RuntimeIdentifier>
            <PublishAot>true</PublishAot>
            <SuppressTrimAnalysisWarnings>true</SuppressTrimAnalysisWarnings>
          </PropertyGroup>
          <ItemGroup>
            <RdXmlFile Include="roots.rd.xml" />
          </ItemGroup>
          <Target Name="LeaveOut" AfterTargets="ResolveAssemblyReferences">
            <ItemGroup>
              <ReferenceCopyLocalPaths Remove="{left}" />
            </ItemGroup>
          </Target>
        """;
}
