// What the editor's own controls say in Vietnamese; a test compares the keys with what the libraries can say.
const WORDS = {
  'Activate hand tool': 'Kéo khung nhìn', 'Activate lasso tool': 'Chọn nhiều phần tử', 'Activate create/remove space tool': 'Thêm, bớt khoảng trống', 'Activate global connect tool': 'Nối hai phần tử',
  'Add lane above': 'Thêm làn phía trên', 'Add lane below': 'Thêm làn phía dưới', 'Add text annotation': 'Thêm chú thích', 'Align elements': 'Căn thẳng các phần tử', 'Align elements ': 'Căn các phần tử ',
  'Align elements left': 'Căn trái', 'Align elements right': 'Căn phải', 'Align elements center': 'Căn giữa theo chiều ngang', 'Align elements top': 'Căn trên', 'Align elements bottom': 'Căn dưới', 'Align elements middle': 'Căn giữa theo chiều dọc',
  'Append compensation activity': 'Thêm hoạt động bù trừ', 'Append conditional intermediate catch event': 'Thêm sự kiện chờ điều kiện', 'Append end event': 'Thêm kết thúc', 'Append gateway': 'Thêm cổng', 'Append intermediate/boundary event': 'Thêm sự kiện giữa luồng',
  'Append message intermediate catch event': 'Thêm sự kiện chờ thông điệp', 'Append receive task': 'Thêm bước nhận', 'Append signal intermediate catch event': 'Thêm sự kiện chờ tín hiệu', 'Append task': 'Thêm bước', 'Append timer intermediate catch event': 'Thêm hẹn giờ',
  'Change element': 'Đổi loại phần tử', Collection: 'Danh sách', 'Connect to other element': 'Nối tới phần tử khác', 'Connect using association': 'Nối bằng liên kết', 'Connect using data input association': 'Nối dữ liệu vào',
  'Create data object reference': 'Tạo dữ liệu', 'Create data store reference': 'Tạo kho dữ liệu', 'Create end event': 'Tạo kết thúc', 'Create expanded sub-process': 'Tạo nhóm bước', 'Create gateway': 'Tạo cổng', 'Create group': 'Tạo khung nhóm',
  'Create intermediate/boundary event': 'Tạo sự kiện giữa luồng', 'Create pool/participant': 'Tạo bể quy trình', 'Create start event': 'Tạo bắt đầu', 'Create task': 'Tạo bước', Delete: 'Xóa', 'Distribute elements horizontally': 'Dàn đều theo chiều ngang',
  'Distribute elements vertically': 'Dàn đều theo chiều dọc', 'Divide into three lanes': 'Chia thành ba làn', 'Divide into two lanes': 'Chia thành hai làn', Loop: 'Lặp', 'Open {element}': 'Mở {element}', 'Parallel multi-instance': 'Nhiều lần song song',
  'Participant multiplicity': 'Nhiều bên tham gia', 'Search in diagram': 'Tìm trong sơ đồ', 'Sequential multi-instance': 'Nhiều lần lần lượt', 'Toggle non-interrupting': 'Không ngắt bước',
  'Ad-hoc': 'Tùy ý', 'Ad-hoc sub-process': 'Nhóm bước tùy ý', 'Ad-hoc sub-process (collapsed)': 'Nhóm bước tùy ý (thu gọn)', 'Ad-hoc sub-process (expanded)': 'Nhóm bước tùy ý (mở rộng)', 'Boundary event': 'Sự kiện biên', 'Business rule task': 'Bước áp dụng bảng quyết định', 'Call activity': 'Gọi quy trình khác',
  'Cancel boundary event': 'Sự kiện biên hủy', 'Cancel end event': 'Kết thúc hủy', 'Compensation boundary event': 'Sự kiện biên bù trừ', 'Compensation end event': 'Kết thúc bù trừ', 'Compensation intermediate throw event': 'Sự kiện phát bù trừ', 'Compensation start event': 'Bắt đầu bù trừ',
  'Complex gateway': 'Cổng phức hợp', 'Conditional boundary event': 'Sự kiện biên điều kiện', 'Conditional boundary event (non-interrupting)': 'Sự kiện biên điều kiện (không ngắt)', 'Conditional flow': 'Luồng có điều kiện', 'Conditional intermediate catch event': 'Sự kiện chờ điều kiện',
  'Conditional start event': 'Bắt đầu theo điều kiện', 'Conditional start event (non-interrupting)': 'Bắt đầu theo điều kiện (không ngắt)', 'Data object reference': 'Dữ liệu', 'Data store reference': 'Kho dữ liệu', 'Default flow': 'Luồng mặc định', 'Empty pool/participant': 'Bể trống',
  'Empty pool/participant (removes content)': 'Bể trống (xóa nội dung)', 'End event': 'Kết thúc', 'Error boundary event': 'Sự kiện biên lỗi', 'Error end event': 'Kết thúc lỗi', 'Error start event': 'Bắt đầu khi có lỗi', 'Escalation boundary event': 'Sự kiện biên báo cấp trên',
  'Escalation boundary event (non-interrupting)': 'Sự kiện biên báo cấp trên (không ngắt)', 'Escalation end event': 'Kết thúc báo cấp trên', 'Escalation intermediate throw event': 'Sự kiện báo cấp trên', 'Escalation start event': 'Bắt đầu khi báo cấp trên', 'Escalation start event (non-interrupting)': 'Bắt đầu khi báo cấp trên (không ngắt)',
  'Event based instantiating Gateway': 'Cổng sự kiện khởi tạo', 'Event sub-process': 'Nhóm bước theo sự kiện', 'Event-based gateway': 'Cổng chờ sự kiện', 'Exclusive gateway': 'Cổng chọn một', 'Expanded pool/participant': 'Bể mở rộng', 'Inclusive gateway': 'Cổng chọn nhiều', 'Intermediate throw event': 'Sự kiện phát',
  'Link intermediate catch event': 'Điểm nối đến', 'Link intermediate throw event': 'Điểm nối đi', 'Manual task': 'Bước làm tay', 'Message boundary event': 'Sự kiện biên thông điệp', 'Message boundary event (non-interrupting)': 'Sự kiện biên thông điệp (không ngắt)', 'Message end event': 'Kết thúc gửi thông điệp',
  'Message intermediate catch event': 'Sự kiện chờ thông điệp', 'Message intermediate throw event': 'Sự kiện gửi thông điệp', 'Message start event': 'Bắt đầu khi có thông điệp', 'Message start event (non-interrupting)': 'Bắt đầu khi có thông điệp (không ngắt)', 'Parallel Event based instantiating Gateway': 'Cổng sự kiện khởi tạo song song',
  'Parallel gateway': 'Cổng song song', 'Receive task': 'Bước nhận thông điệp', 'Script task': 'Bước chạy mã', 'Send task': 'Bước gửi thông điệp', 'Sequence flow': 'Luồng', 'Service task': 'Bước tự động', 'Signal boundary event': 'Sự kiện biên tín hiệu', 'Signal boundary event (non-interrupting)': 'Sự kiện biên tín hiệu (không ngắt)',
  'Signal end event': 'Kết thúc phát tín hiệu', 'Signal intermediate catch event': 'Sự kiện chờ tín hiệu', 'Signal intermediate throw event': 'Sự kiện phát tín hiệu', 'Signal start event': 'Bắt đầu khi có tín hiệu', 'Signal start event (non-interrupting)': 'Bắt đầu khi có tín hiệu (không ngắt)', 'Start event': 'Bắt đầu',
  'Sub-process': 'Nhóm bước', 'Sub-process (collapsed)': 'Nhóm bước (thu gọn)', 'Sub-process (expanded)': 'Nhóm bước (mở rộng)', Task: 'Bước', 'Terminate end event': 'Kết thúc tất cả', 'Timer boundary event': 'Hẹn giờ bên bước', 'Timer boundary event (non-interrupting)': 'Hẹn giờ bên bước (không ngắt)',
  'Timer intermediate catch event': 'Hẹn giờ', 'Timer start event': 'Bắt đầu theo hẹn giờ', 'Timer start event (non-interrupting)': 'Bắt đầu theo hẹn giờ (không ngắt)', Transaction: 'Giao dịch', 'User task': 'Bước của con người', 'Toggle minimap': 'Bật, tắt bản đồ nhỏ', Open: 'Mở', Close: 'Đóng',
};
// The panel's own words, in both languages.
const PANELS = {
  vi: {
    nothing: 'Chọn một phần tử trên sơ đồ để sửa thuộc tính. Nhấp đúp để sửa tên ngay trên sơ đồ.', name: 'Tên', name_en: 'Tên tiếng Anh', lane: 'Làn', form: 'Biểu mẫu', variable: 'Biến giữ câu trả lời', action: 'Việc của bước', document: 'Giấy tờ', capacity: 'Thẩm quyền ký',
    stage_hours: 'Thời hạn (giờ làm việc)', assign: 'Giao cho chính người đề nghị', instructions: 'Hướng dẫn', instructions_en: 'Hướng dẫn tiếng Anh', operator: 'Thao tác của hệ thống', parameters: 'Tham số (FEEL)', result: 'Biến nhận kết quả', condition: 'Điều kiện (FEEL)', default: 'Luồng mặc định: đi khi không điều kiện nào đúng',
    timer: 'Hẹn giờ (FEEL)', timer_kind: 'Loại hẹn giờ', message: 'Thông điệp', decision: 'Bảng quyết định', role: 'Vai trò', none: '–', form_action: 'điền biểu mẫu', sign: 'lãnh đạo ký', issue: 'vào số, đóng dấu', return_result: 'trả kết quả', timeDuration: 'sau một khoảng', timeDate: 'vào một thời điểm', timeCycle: 'lặp lại',
    documentation: 'Ghi chú', required: 'bắt buộc', add: 'Thêm tham số', id: 'Mã', unknown_lane: 'Làn này chưa có mục [[lane]] trong procedure.toml.', clean: 'Không có điểm nào cần xem lại.', hint_timer: 'Ví dụ: working hours(4), working days(2), duration("P3D")', hint_condition: 'Ví dụ: review.decision = "approve"', compare: 'So sánh hai bản', calledElement: 'Mã quy trình được gọi',
    repair_default: 'Đặt luồng tới «{0}» làm mặc định', repair_condition: 'Bỏ điều kiện này', repair_no_default: 'Bỏ đánh dấu mặc định', repair_name: 'Đặt tên «{0}»', repair_lane: 'Xếp vào làn «{0}»', repair_role: 'Dùng làn «{0}» ({1})', repair_form: 'Dùng biểu mẫu {0}',
    repair_hours: 'Đặt 8 giờ làm việc', repair_document: 'Chọn văn bản «{0}»', repair_capacity: 'Ký theo thẩm quyền của văn bản: {0}', repair_action: 'Đổi thành bước điền biểu mẫu', repair_assign: 'Giao theo vai trò của làn', repair_parameter: 'Bỏ tham số không ai đọc', repair: 'Sửa',
  },
  en: {
    nothing: 'Choose an element of the diagram to change its properties. Double-click to change its name in place.', name: 'Name', name_en: 'English name', lane: 'Lane', form: 'Form', variable: 'Variable of the answers', action: 'What the step is', document: 'Document', capacity: 'Signing capacity',
    stage_hours: 'Deadline (working hours)', assign: 'Given to the applicant', instructions: 'Instructions', instructions_en: 'Instructions in English', operator: 'What the system does', parameters: 'Parameters (FEEL)', result: 'Variable of the result', condition: 'Condition (FEEL)', default: 'Default flow: taken when no condition holds',
    timer: 'Timer (FEEL)', timer_kind: 'Kind of timer', message: 'Message', decision: 'Decision table', role: 'Role', none: '–', form_action: 'fill in a form', sign: 'leader signs', issue: 'number and seal', return_result: 'return the result', timeDuration: 'after a while', timeDate: 'at an instant', timeCycle: 'again and again',
    documentation: 'Remark', required: 'required', add: 'Add a parameter', id: 'Id', unknown_lane: 'procedure.toml has no [[lane]] for this lane yet.', clean: 'Nothing to look at.', hint_timer: 'For example: working hours(4), working days(2), duration("P3D")', hint_condition: 'For example: review.decision = "approve"', compare: 'Compare the two', calledElement: 'Key of the called process',
    repair_default: 'Make the way to “{0}” the default', repair_condition: 'Remove this condition', repair_no_default: 'Remove the default mark', repair_name: 'Name it “{0}”', repair_lane: 'Put it into the lane “{0}”', repair_role: 'Use the lane “{0}” ({1})', repair_form: 'Use the form {0}',
    repair_hours: 'Set 8 working hours', repair_document: 'Choose the document “{0}”', repair_capacity: 'Sign in the capacity of the document: {0}', repair_action: 'Make it a step with a form', repair_assign: 'Give it to the role of the lane', repair_parameter: 'Remove the parameter nobody reads', repair: 'Repair',
  },
};
// Names a repair writes into the diagram: content in both languages, whatever the reader reads.
export const NAMES = {
  repair_decided_vi: 'Kết quả: {0}', repair_decided_en: 'Outcome: {0}', repair_step_form_vi: 'Xử lý hồ sơ', repair_step_form_en: 'Handle the dossier', repair_step_sign_vi: 'Ký văn bản', repair_step_sign_en: 'Sign the document',
  repair_step_issue_vi: 'Vào số, đóng dấu', repair_step_issue_en: 'Number and seal', repair_step_return_result_vi: 'Trả kết quả', repair_step_return_result_en: 'Hand the result over',
};
// Whatever the reader reads is Vietnamese or English; the pseudo-language of the tests brackets what went through here.
const marked = (language, text) => (language === 'xx' ? `⟦${text}⟧` : text);
export const panelWords = language => Object.fromEntries(Object.entries(PANELS[language === 'en' ? 'en' : 'vi']).map(([key, text]) => [key, marked(language, text)]));
export const spoken = (language, one) => marked(language, (language === 'en' && one.en) || one.vi || one.id || '');
export const translator = (language, words = WORDS) => ({
  translate: ['value', (template, facts = {}) => {
    const said = language === 'en' ? template : words[template] ?? template;
    return marked(language, said.replace(/{([^}]+)}/g, (_, key) => facts[key] ?? `{${key}}`));
  }],
});
