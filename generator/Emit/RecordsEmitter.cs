using Native.LibUsb.Generator.Docs;
using Native.LibUsb.Generator.Model;

namespace Native.LibUsb.Generator.Emit;

/// <summary>
/// Writes the records as blittable structs with the same sizes and offsets as in C. For a flexible array, the struct has accessors instead of a field.
/// </summary>
internal sealed class RecordsEmitter
{
    private readonly BindingModel _model;
    private readonly ManagedLayout _layout;
    private readonly DocLibrary _docs;
    private readonly CodeWriter _code = CodeWriter.Start("System", "System.Runtime.CompilerServices", "System.Runtime.InteropServices");

    private RecordsEmitter(BindingModel model, ManagedLayout layout, DocLibrary docs)
    {
        _model = model;
        _layout = layout;
        _docs = docs;
    }

    public static string Emit(BindingModel model, ManagedLayout layout, DocLibrary docs)
    {
        var emitter = new RecordsEmitter(model, layout, docs);
        emitter._code.Line("namespace Native.LibUsb.Interop;");
        foreach (CRecord record in model.Records)
            emitter.EmitRecord(record);
        return emitter._code.ToString();
    }

    private void EmitRecord(CRecord record)
    {
        DocText text = _docs["record", record.Name];
        _code.Line();
        _code.Doc("summary", text.Summary);
        _code.Doc("remarks", text.Remarks);
        if (record.Fields is null)
        {
            _code.Line($"public partial struct {record.Name};");
            return;
        }

        string stated = _layout.StatedSize(record) is { } size ? $", Size = {size}" : "";
        if (record.IsUnion)
            _code.Line($"[StructLayout(LayoutKind.Explicit{stated})]");
        else if (record.IsPacked)
            _code.Line($"[StructLayout(LayoutKind.Sequential, Pack = 1{stated})]");
        else if (stated.Length > 0)
            _code.Line($"[StructLayout(LayoutKind.Sequential{stated})]");
        string isUnsafe = record.Fields.Any(field => NeedsUnsafe(field)) ? "unsafe " : "";
        _code.Open($"public {isUnsafe}partial struct {record.Name}");
        foreach (CField field in record.Fields)
            EmitField(record, field, text);
        foreach (CField field in record.Fields)
            EmitNested(field, text);
        _code.Close();
    }

    private bool NeedsUnsafe(CField field) =>
        field.Type is CPointerType or CArrayType { Length: null } || field.Type is CNamedType { Name: var name } && _model.Types.IsCallback(name)
        || field.Nested is { } nested && nested.Fields!.Any(NeedsUnsafe);

    private void EmitField(CRecord record, CField field, DocText text)
    {
        if (field.Type is CArrayType { Length: null } flexible)
        {
            EmitFlexibleArray(record, field, flexible, text);
            return;
        }

        _code.Gap();
        _code.Doc("summary", text.Parts.GetValueOrDefault(field.Name));
        if (record.IsUnion)
            _code.Line("[FieldOffset(0)]");
        if (field.Type is not CArrayType && _model.Types.LosesMeaning(field.Type))
            _code.Line($"[NativeTypeName(\"{field.TypeText}\")]");
        _code.Line($"public {TypeOf(field)} {Identifiers.Escape(field.Name)};");
    }

    private string TypeOf(CField field) => field.Type switch
    {
        CArrayType => $"_{field.Name}_e__FixedBuffer",
        CAnonymousType => $"_{field.Name}_e__{(field.Nested!.IsUnion ? "Union" : "Struct")}",
        _ => _model.Types.Map(field.Type),
    };

    private void EmitFlexibleArray(CRecord record, CField field, CArrayType array, DocText text)
    {
        string element = _model.Types.Map(array.Element);
        (int wide, int narrow) = _layout.FlexibleOffset(record, field);
        string offset = wide == narrow ? $"{wide}" : $"(sizeof(nint) == 8 ? {wide} : {narrow})";
        string address = $"(byte*)Unsafe.AsPointer(ref this) + {offset}";
        if (element != "byte")
            address = $"({element}*)({address})";
        bool isDocumented = text.Parts.TryGetValue(field.Name, out string? summary);
        _code.Gap();
        _code.Doc("summary", summary);
        if (isDocumented)
            _code.Doc("remarks", "The address of the first element. Use the property only on a record in native memory, because a copy of a record does not contain the elements.");
        _code.Line($"public {element}* {Identifiers.Escape(field.Name)} => {address};");
        if (array.Element is CPointerType)
            return; // a span cannot hold pointers

        _code.Gap();
        if (isDocumented)
        {
            _code.Doc("summary", $"Returns the first <paramref name=\"length\"/> elements of <see cref=\"{field.Name}\"/>.");
            _code.Doc("param", "The number of elements with which the record was allocated. The method does not check this number.", "name=\"length\"");
            _code.Doc("remarks", "Use the method only on a record in native memory, and the span only until the record is freed.");
        }

        _code.Line($"public Span<{element}> AsSpan(int length) => new({Identifiers.Escape(field.Name)}, length);");
    }

    private void EmitNested(CField field, DocText text)
    {
        if (field.Type is CArrayType { Length: { } length } array)
        {
            _code.Gap();
            if (text.Parts.ContainsKey(field.Name))
                _code.Doc("summary", $"The elements of <see cref=\"{field.Name}\"/>.");
            _code.Line($"[InlineArray({length})]");
            _code.Open($"public struct _{field.Name}_e__FixedBuffer");
            if (text.Parts.ContainsKey(field.Name))
                _code.Doc("summary", "The first element. The other elements follow it.");
            _code.Line($"public {_model.Types.Map(array.Element)} e0;");
            _code.Close();
        }
        else if (field.Nested is { } nested)
        {
            _code.Gap();
            if (text.Parts.ContainsKey(field.Name))
                _code.Doc("summary", $"The type of <see cref=\"{field.Name}\"/>.");
            if (nested.IsUnion)
                _code.Line("[StructLayout(LayoutKind.Explicit)]");
            _code.Open($"public {(nested.Fields!.Any(NeedsUnsafe) ? "unsafe " : "")}struct {TypeOf(field)}");
            foreach (CField inner in nested.Fields!)
                EmitField(nested, inner, text);
            _code.Close();
        }
    }
}
