using System.Globalization;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains;
using BenchmarkDotNet.Toolchains.CsProj;

namespace Native.LibUsb.Benchmarks.Running;

/// <summary>
/// Writes the project that BenchmarkDotNet builds for a job. BenchmarkDotNet's own refers to our project, which then is built once more for each
/// job, with this repository's properties and the output folders of the job, twice at the same time. This one refers to what is built already,
/// in the folder beside this program's, and takes nothing from the folders above it.
/// </summary>
internal sealed class GeneratedProject : CsProjGenerator
{
    // What BenchmarkDotNet needs only in its host: compilers, disassemblers, readers of traces, the command line. The ahead-of-time compiler
    // takes minutes for them, and ends with an error of its own.
    private const string OnlyOfTheHost =
        "Microsoft.CodeAnalysis*.dll;Microsoft.Diagnostics.*.dll;Microsoft.Extensions.*.dll;CommandLine.dll;Dia2Lib.dll;Gee.External.Capstone.dll;Iced.dll;"
        + "OSExtensions.dll;TraceReloggerLib.dll;System.*.dll;Spectre.Console.dll;Newtonsoft.Json.dll";

    private readonly string _framework;
    private readonly string? _runtimeIdentifier;

    /// <summary>Makes it.</summary>
    /// <param name="framework">The target framework, such as net10.0.</param>
    /// <param name="runtimeIdentifier">For a program that is compiled ahead of time; null for one that is not.</param>
    public GeneratedProject(string framework, string? runtimeIdentifier)
        : base(framework, null!, null!, null!)
    {
        _framework = framework;
        _runtimeIdentifier = runtimeIdentifier;
    }

    /// <summary>Where the benchmarks are, built for that framework.</summary>
    private string Built
    {
        get
        {
            string folder = AppContext.BaseDirectory.Replace(BuildFacts.ManagedTargetFramework, _framework, StringComparison.Ordinal);
            return File.Exists(Path.Combine(folder, typeof(GeneratedProject).Assembly.GetName().Name + ".dll"))
                ? folder
                : throw new DirectoryNotFoundException(string.Create(CultureInfo.InvariantCulture, $"{folder} is empty: build the benchmarks for all their frameworks first (dotnet build, without -f)."));
        }
    }

    protected override string GetExecutableExtension() => _runtimeIdentifier is null ? base.GetExecutableExtension() : "";

    protected override string GetBinariesDirectoryPath(string buildArtifactsDirectoryPath, string configuration) => _runtimeIdentifier is null
        ? base.GetBinariesDirectoryPath(buildArtifactsDirectoryPath, configuration)
        : Path.Combine(buildArtifactsDirectoryPath, "bin", configuration, _framework, _runtimeIdentifier, "publish");

    protected override void GenerateProject(BuildPartition buildPartition, ArtifactsPaths artifactsPaths, ILogger logger)
    {
        string aheadOfTime = _runtimeIdentifier is null ? "<UseAppHost>false</UseAppHost>" : $"""
            <RuntimeIdentifier>{_runtimeIdentifier}</RuntimeIdentifier>
            <PublishAot>true</PublishAot>
            <SuppressTrimAnalysisWarnings>true</SuppressTrimAnalysisWarnings>
            """;
        // BenchmarkDotNet asks for what was allocated by reflection
        string roots = _runtimeIdentifier is null ? "" : """
              <ItemGroup>
                <RdXmlFile Include="roots.rd.xml" />
              </ItemGroup>
            """;
        string left = _runtimeIdentifier is null ? "" : string.Join(';', OnlyOfTheHost.Split(';').Select(name => Built + name));
        // what a reference refers to itself is found beside it, and left out afterwards
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
                {aheadOfTime}
              </PropertyGroup>
              <ItemGroup>
                <Compile Include="{Path.GetFileName(artifactsPaths.ProgramCodePath)}" />
                <Reference Include="{Built}*.dll" Exclude="{left}" />
                <None Include="{Built}*.so" Link="%(Filename)%(Extension)" CopyToOutputDirectory="PreserveNewest" CopyToPublishDirectory="PreserveNewest" />
              </ItemGroup>
            {roots}
              <Target Name="LeaveOut" AfterTargets="ResolveAssemblyReferences" Condition="'{left}' != ''">
                <ItemGroup>
                  <ReferenceCopyLocalPaths Remove="{left}" />
                </ItemGroup>
              </Target>
              <Import Project="Sdk.targets" Sdk="Microsoft.NET.Sdk" />
            </Project>
            """);
        if (_runtimeIdentifier is not null)
            File.WriteAllText(Path.Combine(Path.GetDirectoryName(artifactsPaths.ProjectFilePath)!, "roots.rd.xml"), """
                <Directives>
                  <Application>
                    <Assembly Name="System.Private.CoreLib">
                      <Type Name="System.GC" Dynamic="Required All" />
                      <Type Name="System.Threading.Monitor" Dynamic="Required All" />
                      <Type Name="System.Threading.ThreadPool" Dynamic="Required All" />
                    </Assembly>
                  </Application>
                </Directives>
                """);
    }
}
